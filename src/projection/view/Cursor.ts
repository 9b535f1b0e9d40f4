/**
 * Seals the key after which a list goes on into opaque text, which is versioned, and bound by a short hash to the query
 * that it belongs to. The hash detects a key that was damaged or belongs to another query; it protects no secret.
 */
import { Result } from "effect"
import { Base64Url } from "effect/encoding"
import { createHash } from "node:crypto"
import { canonicalJson } from "../../aggregate/CanonicalJson.ts"
import { InvalidCursor } from "./ViewQuery.ts"

const version = "1"

/** Makes the cursor of a key. The cursor is bound to `query`, which is JSON. */
export const seal = (query: ReadonlyArray<unknown>, key: ReadonlyArray<string>): string => {
  const parts = [version, ...key]
  const hash = createHash("sha256")
    .update(canonicalJson([parts, ...query]))
    .digest("base64url")
  return Base64Url.encode([...parts, hash.slice(0, 11)].join("|"))
}

/** Gives back the key that was sealed for this query. */
export const open = (
  query: ReadonlyArray<unknown>,
  cursor: string
): Result.Result<ReadonlyArray<string>, InvalidCursor> => {
  const [, ...parts] = Result.getOrElse(Base64Url.decodeString(cursor), () => "").split("|")
  const key = parts.slice(0, -1)
  // The same key gives the same cursor, to the last character, only if the hash, the version and the form are right.
  return seal(query, key) === cursor ? Result.succeed(key) : Result.fail(new InvalidCursor({}))
}
