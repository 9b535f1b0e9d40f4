/** What the laws know of an aggregate: its rules, and what its schemas say. Nothing else of it is looked at. */
import { Schema, SchemaAST } from "effect"
import { type Aggregate, fromDefinition } from "../../aggregate/Aggregate.ts"
import type { Definition } from "../../aggregate/AggregateService.ts"
import type { Upcaster } from "../../aggregate/Upcaster.ts"

export type Tagged = { readonly _tag: string }
export type Codec<A, I = unknown> = Schema.Codec<A, I>

/** The class that `Aggregate.Service` makes, or what is like it. */
export interface AggregateClass<
  Id extends Codec<string, string>,
  State extends Codec<unknown>,
  Command extends Codec<Tagged, Tagged>,
  Event extends Codec<Tagged, Tagged>,
  Rejection extends Codec<unknown>
> {
  readonly category: string
  readonly definition: Definition<Id, State, Command, Event, Rejection>
}

/** Checks values by a schema, and writes and reads them as a database would. */
export interface Stored<A> {
  readonly is: (value: unknown) => value is A
  /** Says what is wrong with the value by the schema's own checks; undefined if nothing is. */
  readonly mistake: (value: unknown) => string | undefined
  /** Encodes the value to what a database would store. */
  readonly write: (value: A) => unknown
  /** Decodes what `write` has made. */
  readonly read: (json: unknown) => A
}

export interface Subject<State, Command, Event, Rejection> {
  readonly aggregate: Aggregate<State, Command, Event, Rejection>
  readonly command: Stored<Command>
  readonly event: Stored<Event>
  readonly state: Stored<State>
  /** Undefined if the aggregate has no rejections. */
  readonly rejection: Stored<Rejection> | undefined
  readonly commandSchema: Codec<Command>
  readonly commandTags: ReadonlyArray<string>
  readonly eventTags: ReadonlyArray<string>
  readonly rejectionTags: ReadonlyArray<string>
  readonly idSchema: Codec<string, string>
  /** Members of commands that hold the id of the aggregate itself. */
  readonly ownIds: ReadonlySet<string>
  readonly upcasters: ReadonlyMap<string, Upcaster<unknown>>
  readonly owner: (state: State) => string | undefined
}

export const viaJson = (value: unknown): unknown => {
  const text = JSON.stringify(value)
  return text === undefined ? undefined : JSON.parse(text)
}

const stored = <A>(schema: Codec<A>): Stored<A> => {
  const check = Schema.encodeUnknownResult(schema, { errors: "all" })
  const encode = Schema.encodeSync(schema, { disableChecks: true })
  const decode = Schema.decodeUnknownSync(schema, { disableChecks: true })
  return {
    is: Schema.is(schema),
    mistake: (value) => {
      const encoded = check(value)
      return encoded._tag === "Failure" ? encoded.failure.message : undefined
    },
    write: (value) => viaJson(encode(value)),
    read: decode
  }
}

const members = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.AST> =>
  SchemaAST.isUnion(ast) ? ast.types.flatMap(members) : [ast]

const fieldsOf = (ast: SchemaAST.AST): ReadonlyArray<SchemaAST.PropertySignature> =>
  SchemaAST.isObjects(ast) ? ast.propertySignatures : []

const tagOf = (ast: SchemaAST.AST): ReadonlyArray<string> => {
  const tag = fieldsOf(ast).find(({ name }) => name === "_tag")?.type
  return tag !== undefined && SchemaAST.isLiteral(tag) ? [String(tag.literal)] : []
}

/** Errors are classes: their tag is that of what they are encoded to. */
const tagsOf = (schema: Codec<unknown>): ReadonlyArray<string> => {
  const own = members(SchemaAST.toType(schema.ast)).flatMap(tagOf)
  return own.length > 0 ? own : members(SchemaAST.toEncoded(schema.ast)).flatMap(tagOf)
}

/** A plain text is the id of anything, so only a schema of its own tells that a member holds the aggregate's id. */
const ownIdsOf = (command: Codec<unknown>, id: Codec<string, string>): ReadonlySet<string> => {
  if (id.ast.checks === undefined) return new Set()
  const fields = members(SchemaAST.toType(command.ast)).flatMap(fieldsOf)
  return new Set(fields.flatMap(({ name, type }) => (type === id.ast ? [String(name)] : [])))
}

export const make = <
  Id extends Codec<string, string>,
  State extends Codec<unknown>,
  Command extends Codec<Tagged, Tagged>,
  Event extends Codec<Tagged, Tagged>,
  Rejection extends Codec<unknown>
>({
  category,
  definition
}: AggregateClass<Id, State, Command, Event, Rejection>): Subject<
  State["Type"],
  Command["Type"],
  Event["Type"],
  Rejection["Type"]
> => {
  const { command, event, id, rejection, state, upcasters = {} } = definition
  return {
    aggregate: fromDefinition(category, definition),
    command: stored<Command["Type"]>(command),
    event: stored<Event["Type"]>(event),
    state: stored<State["Type"]>(state),
    rejection: rejection === undefined ? undefined : stored<Rejection["Type"]>(rejection),
    commandSchema: command,
    commandTags: tagsOf(command),
    eventTags: tagsOf(event),
    rejectionTags: rejection === undefined ? [] : tagsOf(rejection),
    idSchema: id,
    ownIds: ownIdsOf(command, id),
    upcasters: new Map(
      Object.entries<Upcaster<unknown> | undefined>(upcasters).flatMap(([tag, upcaster]) =>
        upcaster === undefined ? [] : [[tag, upcaster] as const]
      )
    ),
    owner: (of) => definition.owner?.(of)
  }
}
