/** Defines the headers of requests and answers, by kind of endpoint. Every header of a request is optional. */
import { Schema } from "effect"
import { IfMatch, IfNoneMatch } from "../wire/HeaderValue.ts"

const optional = Schema.optionalKey
const Text = Schema.String
const text = (description: string) => optional(Text.annotate({ description }))

const prefer = text("wait=N asks the server to wait up to N seconds, at most 30, for the view.")
const traceparent = text("The W3C trace context of the caller.")
const requestId = text("An id of at most 128 printable characters, which the answer repeats.")
const token = text("The Consistency-Token of an earlier answer: this answer is at least as fresh.")

const common = { prefer, traceparent, "x-request-id": requestId }

export const command = {
  ...common,
  // RequestOptions reads the key: a malformed one has a problem type of its own.
  "idempotency-key": text(
    "1 to 255 printable characters. A command that is sent again with the same key is done only once."
  ),
  "if-match": optional(
    IfMatch.annotate({ description: "The version that must still be current, or * if any version will do." })
  ),
  "if-none-match": optional(
    IfNoneMatch.annotate({ description: "The command is done only if the thing does not exist yet." })
  )
}
export type CommandHeaders = Schema.Struct.Type<typeof command>

export const list = { ...common, "consistency-token": token }
export type QueryHeaders = Schema.Struct.Type<typeof list>

export const read = {
  ...list,
  "if-none-match": text("Entity tags; the answer is 304 if one of them is current.")
}

/** An answer with it was given before, under the same `Idempotency-Key`. */
const replayed = { "idempotent-replayed": optional(Schema.Literal("true")) }
const preferenceApplied = { "preference-applied": optional(Text) }
const location = { location: optional(Text) }
const link = { link: optional(Text) }
const entityTag = { etag: Text, "consistency-token": Text }

/** `Freshness` is an RFC 9651 dictionary. */
export const counts = { "consistency-token": Text, freshness: Text, ...preferenceApplied }

export const page = { ...counts, ...link }

/** These come with an order as the view has it. */
export const view = { ...replayed, ...entityTag, ...counts, ...location }

/** These come with an old version of an order, which never changes. */
export const version = { etag: Text, "cache-control": Text }

export const receipt = { ...replayed, ...entityTag, ...location, ...link }

export const catalogReceipt = { ...replayed, ...entityTag, ...location }

/** A product or customer is read from its actor. Nothing is fresher than that, so there is no `Freshness` to tell. */
export const entity = { ...catalogReceipt, ...preferenceApplied }
