/** The header `Idempotency-Key`: bare, or a string as in RFC 8941, in double quotes. `"k"` and `k` are the same key. */
import { isIdempotencyKey } from "../../aggregate/CommandErrors.ts"

const quoted = /^"((?:[^"\\]|\\["\\])*)"$/

/** `undefined`: it is no key. */
export const parse = (header: string): string | undefined => {
  const text = header.trim()
  const key = text.startsWith('"') ? quoted.exec(text)?.[1]?.replace(/\\(["\\])/g, "$1") : text
  return key !== undefined && isIdempotencyKey(key) ? key : undefined
}

export const format = (key: string): string => `"${key.replace(/["\\]/g, "\\$&")}"`
