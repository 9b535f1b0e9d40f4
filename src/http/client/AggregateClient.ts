/**
 * Provides the service of an aggregate of another process over HTTP, so that a program moves between a local and a remote one
 * by swapping this layer. It is derived from the definition: answers and errors are those of the service in process.
 *
 * A read, and a command with an idempotency key, is sent again a few times if the server can't answer now or the answer was
 * lost. Any other command is sent once; if its answer is lost, it fails with `OutcomeUnknown`.
 *
 * **Gotchas**: guards are not sent, since they would tell the versions of any stream to who calls: `sendGuarded` and the
 * option `guards` fail with `InvalidRequest`. The options `actor` and `causationId` are not sent: the server finds out by
 * itself who calls. `correlationId` is sent as the request's id.
 */
import { Duration, Effect, Layer, Option, Stream } from "effect"
import { FetchHttpClient, HttpClient } from "effect/http"
import { HttpApi, HttpApiClient, type HttpApiGroup } from "effect/http-api"
import type { Any } from "../../aggregate/Aggregate.ts"
import type { Answer, Current, Stored } from "../../aggregate/AggregateService.ts"
import { AggregateSuspended, type Unavailable } from "../../aggregate/CommandErrors.ts"
import * as EventCodec from "../../aggregate/EventCodec.ts"
import { check, checkId, InvalidRequest } from "../../aggregate/InvalidRequest.ts"
import { wireType } from "../../aggregate/PublishedEvent.ts"
import { clampVersion } from "../../orders/QueryOptions.ts"
import * as AggregateApi from "../aggregate/AggregateApi.ts"
import { commandsOf } from "../aggregate/AggregateEndpoints.ts"
import { taggedCases } from "../aggregate/TaggedCases.ts"
import * as CloudEvent from "../wire/CloudEvent.ts"
import * as Failure from "./ClientFailure.ts"
import * as ClientRequest from "./ClientRequest.ts"
import * as Result from "./ClientResult.ts"

type Tagged = { readonly _tag: string }

export interface Options {
  /** The server, with the prefix under which the API is mounted there, if there is one. */
  readonly baseUrl: string | URL
  /** The path that the server's `AggregateApi.group` has; the category with an s by default, as in `/giftcards`. */
  readonly path?: `/${string}`
  /** A request that may be sent again is sent again so often; 3 times by default. */
  readonly retries?: number
  /** An answer may take so long; 15 s by default. */
  readonly timeout?: Duration.Input
}

/** Events are read in pages of so many. */
const pageSize = 500

interface Answered<Body> {
  readonly body: Body
  readonly headers: { readonly "consistency-token": string; readonly "idempotent-replayed"?: "true" }
}

type Receipt = Pick<Answer<unknown, Tagged>, "version" | "commandId" | "events" | "state">
type ReadError = InvalidRequest | Unavailable

/** The calls of a group that is known only by its definition; each takes what its endpoint takes. */
type Commands = Readonly<Record<string, (request: object) => Effect.Effect<Answered<Receipt>, unknown>>>
interface Reads {
  readonly get: (request: object) => Effect.Effect<Answered<Pick<Current<unknown>, "version" | "state">>, ReadError>
  readonly events: (
    request: object
  ) => Effect.Effect<{ readonly body: typeof CloudEvent.CloudEventBatch.Type }, ReadError>
}

const noGuards = () =>
  Effect.fail(
    InvalidRequest.of("options.guards", "can't be sent to a server; send this command in a process that has the log")
  )

/** Decodes events by their public types; what a newer server has stored is as unknown here as in an old process. */
const decoderOf = (category: string, schema: object, codec: EventCodec.EventCodec<Tagged>) => {
  const types = new Map(
    [...(taggedCases(schema)?.keys() ?? [])].map((tag) => {
      const schemaVersion = codec.schemaVersion(tag)
      return [wireType(category, tag, schemaVersion), { type: tag, schemaVersion }]
    })
  )
  return (sent: CloudEvent.CloudEvent): Effect.Effect<Stored<Tagged>, AggregateSuspended> => {
    const known = types.get(sent.type)
    if (known === undefined) return Effect.fail(new AggregateSuspended({ retryAfter: 1, unknownEvent: sent.type }))
    const { causationId, data, eventId, position, recordedAt, streamId, version, ...others } = CloudEvent.toEvent(sent)
    const { actor, correlationId, traceparent } = others
    const metadata = {
      commandId: causationId,
      correlationId,
      causationId,
      ...(actor === undefined ? {} : { actor }),
      ...(traceparent === undefined ? {} : { traceparent })
    }
    return Effect.sync(() => ({
      event: codec.decode({ ...known, data }),
      eventId,
      position,
      streamId,
      version,
      recordedAt,
      metadata
    }))
  }
}

/** Uses the HTTP client that is provided. */
export const make = Effect.fnUntraced(function* (aggregate: Any, settings: Options) {
  const { category, definition } = aggregate
  const { baseUrl, path, retries = 3, timeout = "15 seconds" } = settings
  const { command, read } = ClientRequest.make({ retries, timeout: Duration.fromInputUnsafe(timeout) })
  const group: object = AggregateApi.group(aggregate, path === undefined ? {} : { path })
  const client: object = yield* HttpApiClient.group(
    HttpApi.make("aggregate").add(group as HttpApiGroup.HttpApiGroup<string>),
    {
      group: category,
      httpClient: yield* HttpClient.HttpClient,
      baseUrl,
      transformResponse: Failure.markUnreadable
    }
  )
  // The group has an endpoint for each case of the command, and two reads.
  const commands = client as Commands
  const reads = client as Reads
  const decode = decoderOf(
    category,
    definition.event,
    EventCodec.make(definition.event, definition.upcasters, { disableChecks: true })
  )
  const names = new Map([...commandsOf(category, definition.command)].map(([name, [tag]]) => [tag, name]))
  const checkAnyId = checkId(definition.id)
  /** No path has these as a part: whoever reads it takes them for steps up. */
  const checkSentId = (id: unknown) =>
    id === "." || id === ".." ? [{ path: "id", message: "can't be sent in a path" }] : checkAnyId(id)
  const checkCommand = check(definition.command)

  const valid = (check: (value: unknown) => InvalidRequest["errors"], value: unknown) =>
    Effect.suspend(() => {
      const mistakes = check(value)
      return mistakes.length === 0 ? Effect.void : Effect.fail(InvalidRequest.all(mistakes))
    })

  const service: Any["Service"] = {
    send: Effect.fnUntraced(function* (id, value, { guards, ifVersion, ...options } = {}) {
      yield* valid(checkSentId, id)
      yield* valid(checkCommand, value)
      if (guards !== undefined) return yield* noGuards()
      const { _tag, ...payload } = value
      const { body, headers } = yield* command({ ...options, precondition: ifVersion }, (headers) =>
        commands[names.get(_tag)!]!({ params: { id }, headers, payload })
      )
      const { commandId, events, state, version } = Result.found(body)
      const replayed = headers["idempotent-replayed"] !== undefined
      return { state, version, token: headers["consistency-token"], events, commandId, replayed }
    }),
    sendGuarded: noGuards,
    get: Effect.fnUntraced(function* (id) {
      yield* valid(checkSentId, id)
      const { body, headers } = yield* read(reads.get({ params: { id }, headers: {} }))
      return { ...Result.found(body), token: headers["consistency-token"] }
    }),
    events: (id, { after = 0 } = {}) => {
      const page = (after: number) =>
        Effect.map(
          read(reads.events({ params: { id }, query: { after, limit: pageSize }, headers: {} })),
          ({ body }) => {
            const last = body.length < pageSize ? undefined : body.at(-1)
            return [body, Option.map(Option.fromUndefinedOr(last), (event) => event.streamversion)] as const
          }
        )
      return Stream.unwrap(Effect.as(valid(checkSentId, id), Stream.paginate(clampVersion(after), page))).pipe(
        Stream.mapEffect(decode)
      )
    }
  }
  return service
})

/** Uses the HTTP client that is provided: another one than `fetch`, or one with middleware. */
export const layerNoDeps = <Self>(
  aggregate: Any<Self>,
  options: Options
): Layer.Layer<Self, never, HttpClient.HttpClient> => Layer.effect(aggregate, make(aggregate, options))

/** Uses `fetch`. */
export const layer = <Self>(aggregate: Any<Self>, options: Options): Layer.Layer<Self> =>
  Layer.provide(layerNoDeps(aggregate, options), FetchHttpClient.layer)
