/**
 * Translates between an aggregate's events and the stored JSON. The stored `type` is the event's `_tag`, and `data` holds
 * the rest of the event.
 *
 * **Gotchas**: a type, version or shape that is not known is a defect: the reader stops, it never skips an event.
 */
import { Schema, SchemaAST } from "effect"
import { SchemaJITCompiler } from "effect/schema"
import type { RecordedEvent } from "../eventstore/EventStore.ts"
import type { Upcaster } from "./Upcaster.ts"

export interface EventCodec<Event> {
  encode(event: Event): { readonly type: string; readonly schemaVersion: number; readonly data: unknown }
  /** The schema version that new events of this type are stored with. */
  schemaVersion(type: string): number
  decode(stored: Pick<RecordedEvent, "type" | "schemaVersion" | "data">): Event
}

/** Holds an upcaster for each event type that was ever stored in another shape. */
export type Upcasters<Encoded extends { readonly _tag: string }> = {
  readonly [Tag in Encoded["_tag"]]?: Upcaster<Omit<Extract<Encoded, { readonly _tag: Tag }>, "_tag">>
}

/**
 * The stored event is of no type or version that this program knows: the program is too old, or the log is damaged. The
 * message begins as `unknownReason` of `projection/parking/ParkedRows` says, by which projections recognise it.
 */
export class UnknownEvent extends Error {
  readonly type: string
  constructor(type: string, schemaVersion: number) {
    super(
      `This program does not know event type ${type} at schema version ${schemaVersion}, so it can't go on with its ` +
        "stream; run a program that is as new as the log."
    )
    this.name = "UnknownEvent"
    this.type = type
  }
}

/** Gives the tags of a union of tagged structs; undefined if the schema is made in another way. */
const tagsOf = (ast: SchemaAST.AST): ReadonlySet<string> | undefined => {
  const tags = new Set<string>()
  for (const member of SchemaAST.isUnion(ast) ? ast.types : [ast]) {
    if (!SchemaAST.isObjects(member)) return undefined
    const tag = member.propertySignatures.find(({ name }) => name === "_tag")?.type
    if (tag === undefined || !SchemaAST.isLiteral(tag) || typeof tag.literal !== "string") return undefined
    tags.add(tag.literal)
  }
  return tags
}

const jsonDeclarations = new Set<unknown>(["effect/schema/Json", "effect/schema/MutableJson"])

const isJsonDeclaration = ({ annotations }: SchemaAST.Declaration): boolean =>
  jsonDeclarations.has((annotations?.["representation"] as { readonly id: unknown } | undefined)?.id)

const findNotJson = (
  ast: SchemaAST.AST,
  path: string,
  isOptional: boolean,
  entered: ReadonlySet<SchemaAST.AST>
): string | undefined => {
  const within = (asts: ReadonlyArray<readonly [SchemaAST.AST, string]>, isOptional = false) => {
    for (const [ast, path] of asts) {
      const found = findNotJson(ast, path, isOptional || SchemaAST.isOptional(ast), entered)
      if (found !== undefined) return found
    }
    return undefined
  }
  const at = path === "" ? "it" : path
  switch (ast._tag) {
    case "Objects":
      return within([
        ...ast.propertySignatures.map(
          ({ name, type }) => [type, path === "" ? String(name) : `${path}.${String(name)}`] as const
        ),
        ...ast.indexSignatures.map(({ type }) => [type, `${path}[]`] as const)
      ])
    case "Arrays":
      return within([...ast.elements, ...ast.rest].map((item) => [item, `${path}[]`] as const))
    case "Union":
      return within(
        ast.types.map((member) => [member, path] as const),
        isOptional
      )
    case "Suspend":
      // A schema that holds itself is looked at once.
      return entered.has(ast)
        ? undefined
        : findNotJson(SchemaAST.toEncoded(ast.thunk()), path, isOptional, new Set([...entered, ast]))
    case "Declaration":
      if (isJsonDeclaration(ast)) return undefined
      return `${at} is ${String(ast.annotations?.["expected"] ?? "an instance of a class, or a function,")}`
    case "Literal":
      return typeof ast.literal === "bigint" ? `${at} is a bigint` : undefined
    case "BigInt":
    case "Symbol":
    case "UniqueSymbol":
      return `${at} is a ${ast._tag.toLowerCase()}`
    case "Undefined":
    case "Void":
      return isOptional ? undefined : `${at} may be undefined, and is not optional`
    default:
      return undefined
  }
}

/** Names the first part of a schema's encoded side that JSON can't hold, such as a class instance without an encoding. */
export const notJson = (schema: Schema.Top): string | undefined =>
  findNotJson(SchemaAST.toEncoded(schema.ast), "", false, new Set())

export interface Options {
  /**
   * If true, events are stored without the checks of their schema: for a decider that repeats in its events what was
   * stored before, perhaps under other bounds. An amount that is not a number is then stored as null.
   */
  readonly disableChecks?: boolean
}

/**
 * Makes the codec of a tagged union of plain data. A type without an upcaster is at schema version 1.
 *
 * Stored events are decoded by their types alone: bounds and lists of today do not judge what was valid when it was
 * stored.
 */
export const make = <Event extends { readonly _tag: string }, Encoded extends { readonly _tag: string }>(
  schema: Schema.Codec<Event, Encoded>,
  upcasters: Upcasters<Encoded> = {},
  { disableChecks = false }: Options = {}
): EventCodec<Event> => {
  for (const { ast } of [schema, Schema.flip(schema)]) SchemaJITCompiler.enable(ast)
  const encode = Schema.encodeSync(schema, { disableChecks })
  const decode = Schema.decodeUnknownSync(schema, { disableChecks: true })
  const byType = new Map<string, Upcaster<unknown>>(Object.entries(upcasters))
  const tags = tagsOf(SchemaAST.toEncoded(schema.ast))
  const current = (type: string) => byType.get(type)?.schemaVersion ?? 1

  const present = (type: string, schemaVersion: number, data: unknown): unknown => {
    if (tags?.has(type) === false) throw new UnknownEvent(type, schemaVersion)
    if (schemaVersion === current(type)) return data
    const upcaster = byType.get(type)
    if (upcaster === undefined || schemaVersion < 1 || schemaVersion > upcaster.schemaVersion) {
      throw new UnknownEvent(type, schemaVersion)
    }
    return upcaster.up(schemaVersion, data)
  }

  return {
    encode: (event) => {
      const { _tag: type, ...data } = encode(event)
      return { type, schemaVersion: current(type), data }
    },
    schemaVersion: current,
    decode: ({ type, schemaVersion, data }) => decode({ ...(present(type, schemaVersion, data) as object), _tag: type })
  }
}
