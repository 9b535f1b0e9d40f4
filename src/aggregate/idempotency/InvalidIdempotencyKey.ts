import { Schema } from "effect"

/** 1 to 255 printable characters of ASCII. An empty key would make one command of all that were sent without thinking. */
export const isIdempotencyKey = (key: string): boolean => /^[\x20-\x7e]{1,255}$/.test(key)

/** What was given as an idempotency key can't be one. Nothing was done. */
export class InvalidIdempotencyKey extends Schema.TaggedError<InvalidIdempotencyKey>()(
  "InvalidIdempotencyKey",
  {},
  { httpApiStatus: 400 }
) {
  override get message() {
    return "an Idempotency-Key is 1 to 255 printable ASCII characters, bare or in double quotes; nothing was done"
  }
}
