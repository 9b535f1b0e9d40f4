/**
 * Reads and writes the values of headers: entity tags and preconditions (RFC 9110), `Prefer: wait` (RFC 7240),
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header) and `Freshness`, a dictionary (RFC 9651).
 * Servers and clients share it.
 */
import { Duration, Option, Schema } from "effect"
import { Headers, HttpTraceContext } from "effect/http"
import type { Precondition } from "../../aggregate/actor/Envelope.ts"
import { isIdempotencyKey } from "../../aggregate/CommandErrors.ts"
import * as ConsistencyToken from "../../projection/consistency/ConsistencyToken.ts"
import type { Freshness } from "../../projection/view/ViewQuery.ts"

/** Writes a version as a strong entity tag. */
export const entityTag = (version: number): string => `"${version}"`

/** `If-Match` on a command takes entity tags with commas between them, or `*`. */
export const IfMatch = Schema.String.check(
  Schema.isPattern(/^\s*(?:\*|(?:W\/)?"[\x21\x23-\x7e]{0,64}"(?:\s*,\s*(?:W\/)?"[\x21\x23-\x7e]{0,64}")*)\s*$/u, {
    expected: 'entity tags such as "7", or *'
  })
)

/** `If-None-Match` on a command takes only `*`: the thing must not exist yet. */
export const IfNoneMatch = Schema.Literal("*")

/** No stream is ever at this version. It stands for tags that were never ours, and for weak tags, which never match. */
const neverAVersion = -1

export const precondition = (headers: {
  readonly "if-match"?: string | undefined
  readonly "if-none-match"?: "*" | undefined
}): Precondition => {
  if (headers["if-none-match"] !== undefined) return "absent"
  const text = headers["if-match"]?.trim()
  if (text === undefined) return undefined
  if (text === "*") return "exists"
  const versions = (text.match(/(?:W\/)?"[^"]*"/g) ?? []).map((tag) => {
    const version = /^"(0|[1-9][0-9]{0,14})"$/.exec(tag)
    return version === null ? neverAVersion : Number(version[1])
  })
  return versions.length === 1 ? versions[0] : versions
}

/**
 * Tells whether `If-None-Match` names this strong entity tag. The comparison is weak; a tag that can't be read never
 * matches.
 */
export const isListed = (ifNoneMatch: string | undefined, tag: string): boolean =>
  ifNoneMatch !== undefined && ifNoneMatch.split(",").some((one) => ["*", tag, `W/${tag}`].includes(one.trim()))

/** Tells whether the caller of a GET has this version already. */
export const isCurrent = (ifNoneMatch: string | undefined, version: number): boolean =>
  isListed(ifNoneMatch, entityTag(version))

const longestWait = Duration.toSeconds(ConsistencyToken.longestWait)

/**
 * Reads how many seconds the caller agrees to wait for a view. A preference that can't be read is ignored, as RFC 7240
 * asks.
 */
export const waitOf = (prefer: string | undefined): number | undefined => {
  if (prefer === undefined) return undefined
  for (const preference of prefer.split(",")) {
    const match = /^\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(?:;|$)/i.exec(preference)
    if (match !== null) return Math.min(Number(match[1]), longestWait)
  }
  return undefined
}

export const preferWait = (seconds: number): string => `wait=${seconds}`

/** Tells whether the caller wants no representation in the answer (RFC 7240). */
export const prefersMinimal = (prefer: string | undefined): boolean =>
  prefer?.split(",").some((preference) => /^\s*return\s*=\s*"?minimal"?\s*(?:;|$)/i.test(preference)) === true

export const isTraceparent = (traceparent: string): boolean =>
  Option.isSome(HttpTraceContext.w3c(Headers.fromInput({ traceparent })))

const quotedKey = /^"((?:[^"\\]|\\["\\])*)"$/

/**
 * A key may be bare or a quoted string, so `"k"` and `k` are the same key; undefined if the header has no valid key.
 */
export const parseIdempotencyKey = (header: string): string | undefined => {
  const text = header.trim()
  const key = text.startsWith('"') ? quotedKey.exec(text)?.[1]?.replace(/\\(["\\])/g, "$1") : text
  return key !== undefined && isIdempotencyKey(key) ? key : undefined
}

export const formatIdempotencyKey = (key: string): string => `"${key.replace(/["\\]/g, "\\$&")}"`

export const formatFreshness = ({ behind, lag, parked, position }: Omit<Freshness, "token">): string =>
  `position=${position}, behind=${behind}, lag=${Math.round(lag * 1000) / 1000}, parked=${parked}`

/** A member that is missing counts as 0. */
export const parseFreshness = (header: string): Omit<Freshness, "token"> => {
  const member = (name: string) => new RegExp(`\\b${name}=([\\d.]+)`).exec(header)?.[1] ?? "0"
  return {
    position: BigInt(member("position")),
    behind: Number(member("behind")),
    lag: Number(member("lag")),
    parked: Number(member("parked"))
  }
}
