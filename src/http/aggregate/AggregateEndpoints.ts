/**
 * Makes the endpoints of an aggregate's API: one `POST` for each case of its command, a read of the state, and a read of the
 * events, with the headers and problems of the order API.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiSchema } from "effect/http-api"
import type { Any, RejectionOf } from "../../aggregate/Aggregate.ts"
import { type Boundary, CommandBoundary, QueryBoundary } from "../api/Boundary.ts"
import { entityErrors, sendErrors } from "../api/EndpointErrors.ts"
import * as HttpHeaders from "../api/HttpHeaders.ts"
import { EventListQuery } from "../api/ListQuery.ts"
import type { Problem } from "../problems/Problem.ts"
import { CloudEventBatch } from "../wire/CloudEvent.ts"
import { type TaggedCase, taggedCases } from "./TaggedCases.ts"

type Tagged = { readonly _tag: string }
type Codec<A, I = unknown> = Schema.Codec<A, I>
export type PathInput = `/${string}`
type Below<Path extends PathInput, Rest extends string> = Path extends `/${infer Start}` ? `/${Start}${Rest}` : never

const version = Schema.Int

export const receiptOf = <State extends Codec<unknown>, Event extends Codec<Tagged, Tagged>>(
  state: State,
  event: Event
) =>
  Schema.Struct({
    version: version.annotate({ description: "The version that the command led to, which is also the ETag." }),
    commandId: Schema.String.annotate({ description: "The command's id, which is the cause of its events." }),
    events: Schema.Array(event).annotate({
      description: "The events of the command; empty if there was nothing to do."
    }),
    state
  })

export const currentOf = <State extends Codec<unknown>>(state: State) =>
  Schema.Struct({
    version: version.annotate({ description: "The number of events so far, which is also the ETag." }),
    state
  })

const withHeaders = <S extends Schema.Top>(schema: S) => HttpApiSchema.WithHeaders(schema, HttpHeaders.aggregate)

export const commandEndpoint = <
  const Name extends string,
  const Path extends PathInput,
  Id extends Codec<string, string>,
  State extends Codec<unknown>,
  Event extends Codec<Tagged, Tagged>,
  Rejection,
  Payload extends Schema.Top = never
>(
  name: Name,
  path: Path,
  id: Id,
  receipt: ReturnType<typeof receiptOf<State, Event>>,
  rejections: ReadonlyArray<Problem<Rejection>>,
  payload?: Payload
) =>
  HttpApiEndpoint.post(name, path, {
    params: { id },
    headers: HttpHeaders.command,
    payload,
    success: [withHeaders(receipt), withHeaders(HttpHeaders.minimal)],
    error: [...sendErrors, ...rejections]
  }).middleware(CommandBoundary)

export const getEndpoint = <
  const Path extends PathInput,
  Id extends Codec<string, string>,
  State extends Codec<unknown>
>(
  path: Path,
  id: Id,
  current: ReturnType<typeof currentOf<State>>
) =>
  HttpApiEndpoint.get("get", path, {
    params: { id },
    headers: HttpHeaders.read,
    success: [withHeaders(current), withHeaders(HttpHeaders.notModified)],
    error: entityErrors
  }).middleware(QueryBoundary)

export const eventsEndpoint = <const Path extends PathInput, Id extends Codec<string, string>>(path: Path, id: Id) =>
  HttpApiEndpoint.get("events", path, {
    params: { id },
    query: EventListQuery,
    headers: HttpHeaders.list,
    success: HttpApiSchema.WithHeaders(CloudEventBatch, HttpHeaders.link),
    error: entityErrors
  }).middleware(QueryBoundary)

/** The payload of a command is its case without `_tag`; a case without fields has none. */
type PayloadOf<Case> = keyof Omit<Case, "_tag"> extends never ? never : Schema.Codec<Omit<Case, "_tag">>

type CommandEndpoint<A extends Any, Path extends PathInput, Case> = Case extends Tagged
  ? ReturnType<
      typeof commandEndpoint<
        Uncapitalize<Case["_tag"]>,
        Below<Path, `/:id/${string}`>,
        A["definition"]["id"],
        A["definition"]["state"],
        A["definition"]["event"],
        RejectionOf<A>["Type"],
        PayloadOf<Case>
      >
    >
  : never

export type Endpoints<A extends Any, Path extends PathInput> = HttpApiEndpoint.AddMiddleware<
  | CommandEndpoint<A, Path, A["definition"]["command"]["Type"]>
  | ReturnType<typeof getEndpoint<Below<Path, "/:id">, A["definition"]["id"], A["definition"]["state"]>>
  | ReturnType<typeof eventsEndpoint<Below<Path, "/:id/events">, A["definition"]["id"]>>,
  Boundary
>

const uncapitalize = (tag: string): string => tag.charAt(0).toLowerCase() + tag.slice(1)

/** The case of a command that each endpoint sends, by the endpoint's name. */
export const commandsOf = (
  category: string,
  command: object
): ReadonlyMap<string, readonly [tag: string, TaggedCase]> => {
  const cases = taggedCases(command)
  if (cases === undefined) {
    throw new TypeError(`The command of ${category} is no tagged union of structs; make it with Schema.TaggedUnion.`)
  }
  const taken = [...cases.keys()].find((tag) => ["get", "events"].includes(uncapitalize(tag)))
  if (taken !== undefined) {
    throw new TypeError(`The command ${taken} of ${category} has the name of a read of its API; give it another name.`)
  }
  return new Map([...cases].map(([tag, schema]) => [uncapitalize(tag), [tag, schema]]))
}

/** The fields of a case without its tag. */
export const fieldsOf = ({ fields: { _tag, ...fields } }: TaggedCase): TaggedCase["fields"] => fields

/** The body of a command; undefined if its case has no fields. */
export const payloadOf = (schema: TaggedCase) => {
  const fields = fieldsOf(schema)
  return Object.keys(fields).length === 0 ? undefined : Schema.Struct(fields)
}
