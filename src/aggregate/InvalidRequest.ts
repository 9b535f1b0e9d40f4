/**
 * Refuses what a caller has sent, in process or over HTTP, before anything is done with it: each mistake is named by the
 * place where it is. `check` compares a value with its schema; it is the caller's mistake, so it never counts as a
 * defect.
 */
import { Exit, Option, Schema, SchemaIssue } from "effect"
import { inWords, isMissing, leafHook } from "./MistakeText.ts"

const maxErrors = 50
const maxPath = 200

/**
 * A `path` names a place in the request's body, as in `lines[0].quantity`, or a parameter: `query.limit`, `path.id`,
 * `header.if-match`; in process `options.actor`.
 */
export class InvalidRequest extends Schema.TaggedError<InvalidRequest>()(
  "InvalidRequest",
  { errors: Schema.Array(Schema.Struct({ path: Schema.String, message: Schema.String })) },
  { httpApiStatus: 400 }
) {
  static of(path: string, message: string) {
    return new InvalidRequest({ errors: [{ path, message }] })
  }
  /** Names at most 50 mistakes. */
  static all(errors: ReadonlyArray<Mistake>) {
    return new InvalidRequest({ errors: errors.slice(0, maxErrors) })
  }
  override get message() {
    const places = this.errors.map((error) => `${error.path}: ${error.message}`).join("; ")
    return `The request can't be read; nothing was done. Correct this: ${places.replace(/\.$/, "")}.`
  }
}

export type Mistake = InvalidRequest["errors"][number]

const format = SchemaIssue.makeFormatterStandardSchemaV1({ leafHook })

const join = (slot: string | undefined, path: ReadonlyArray<PropertyKey>): string => {
  const text = path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : `${text}${text === "" ? "" : "."}${String(key)}`),
    slot ?? ""
  )
  return text === "" ? "body" : text.slice(0, maxPath).toWellFormed()
}

const keyOf = (segment: PropertyKey | { readonly key: PropertyKey }): PropertyKey =>
  typeof segment === "object" ? segment.key : segment

/** Tells the author of a request what is wrong with it. `slot` names the wrong part; without it, that is the body. */
export const mistakesOf = (issue: SchemaIssue.Issue, slot?: string): ReadonlyArray<Mistake> => {
  // An object was expected, and the body is none.
  if (issue._tag === "AnyOf" && issue.issues.length === 0)
    return [{ path: slot ?? "body", message: "Expected an object" }]
  return format(issue).issues.map(({ message, path = [] }) => {
    const keys = path.map(keyOf)
    // An array that must not be empty lacks its first item: that is a mistake of the array.
    const place = isMissing(message) && keys.at(-1) === 0 ? keys.slice(0, -1) : keys
    return { path: join(slot, place), message: inWords(message, keys.at(-1)) }
  })
}

/** Makes a function that tells what is wrong with a value of the schema's decoded type; an unknown member is wrong. */
export const check = <A>(schema: Schema.Codec<A, unknown>, slot?: string) => {
  const decode = Schema.decodeUnknownExit(Schema.toType(schema), { onExcessProperty: "error", errors: "all" })
  return (value: unknown): ReadonlyArray<Mistake> => {
    const exit = decode(value)
    if (Exit.isSuccess(exit)) return []
    const error = Exit.findErrorOption(exit)
    return Option.isSome(error)
      ? mistakesOf(error.value.issue, slot)
      : [{ path: slot ?? "body", message: "Expected a plain value" }]
  }
}

/** Tells whether the log can keep a text: at most 200 characters, without NUL and lone surrogates. */
export const isText = (value: unknown): boolean =>
  typeof value === "string" && value.length <= 200 && value.isWellFormed() && !value.includes("\u0000")

/** Tells whether a text can be the id of an aggregate, which is a part of its stream's name. */
export const isId = (id: unknown): boolean => isText(id) && id !== "" && !/[\n\r\u2028\u2029]/.test(String(id))

export const idExpected = "Expected an id of 1 to 200 characters in one line"

/** Does what `check` does, for the id of an aggregate: a schema may allow more than the name of a stream. */
export const checkId = <A>(schema: Schema.Codec<A, unknown>) => {
  const bySchema = check(schema, "id")
  return (id: unknown): ReadonlyArray<Mistake> => {
    const mistakes = bySchema(id)
    return mistakes.length > 0 || isId(id) ? mistakes : [{ path: "id", message: idExpected }]
  }
}
