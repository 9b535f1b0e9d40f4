/**
 * The key where a list goes on, as an opaque text: versioned, and bound by a short hash to the query it belongs to. The
 * hash tells a key that was damaged or belongs to another query; it protects no secret.
 */
import { Result } from "effect"
import { Base64Url } from "effect/encoding"
import { createHash } from "node:crypto"
import { canonicalJson } from "../aggregate/CanonicalJson.ts"

const version = "1"

/** `query`: what it is bound to, as JSON. */
export const seal = (query: ReadonlyArray<unknown>, key: ReadonlyArray<string>): string => {
  const parts = [version, ...key]
  const hash = createHash("sha256")
    .update(canonicalJson([parts, ...query]))
    .digest("base64url")
  return Base64Url.encode([...parts, hash.slice(0, 11)].join("|"))
}

/** The key; undefined if it was not sealed for this query. */
export const open = (query: ReadonlyArray<unknown>, sealed: string): ReadonlyArray<string> | undefined => {
  const [, ...parts] = Result.getOrElse(Base64Url.decodeString(sealed), () => "").split("|")
  const key = parts.slice(0, -1)
  // Sealed again it must be the same, to the last character: so the hash, the version and the form are right.
  return seal(query, key) === sealed ? key : undefined
}
