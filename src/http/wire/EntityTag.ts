/** A version as a strong entity tag, and what callers send back of it. */
import { Schema } from "effect"
import type { Precondition } from "../../aggregate/actor/Envelope.ts"

export const format = (version: number): string => `"${version}"`

/** One entity tag, or `*`. */
export const IfMatch = Schema.String.check(
  Schema.isPattern(/^\s*(?:\*|(?:W\/)?"[\x21\x23-\x7e]{0,64}")\s*$/, { expected: 'one entity tag such as "7", or *' })
)

/** On a command: only `*`, "it must not exist". */
export const IfNoneMatch = Schema.Literal("*")

/** No stream is ever at this version: for tags that were never ours, and for weak ones, which never match here. */
const never = -1

export const precondition = (headers: {
  readonly "if-match"?: string
  readonly "if-none-match"?: "*"
}): Precondition => {
  if (headers["if-none-match"] !== undefined) return "absent"
  const text = headers["if-match"]?.trim()
  if (text === undefined) return undefined
  if (text === "*") return "exists"
  const version = /^"(0|[1-9][0-9]{0,14})"$/.exec(text)
  return version === null ? never : Number(version[1])
}

/** Of a GET: does the caller have this version already? Weak comparison; what can't be read never matches. */
export const isCurrent = (ifNoneMatch: string | undefined, version: number): boolean =>
  ifNoneMatch !== undefined &&
  ifNoneMatch.split(",").some((tag) => ["*", format(version), `W/${format(version)}`].includes(tag.trim()))
