/** The headers of requests and answers, by kind of endpoint. Every one of a request is optional. */
import { Schema } from "effect"
import { IfMatch, IfNoneMatch } from "../wire/EntityTag.ts"

const optional = Schema.optionalKey
const Text = Schema.String

const prefer = optional(Text.annotate({ description: "wait=N: wait up to N seconds (at most 30) for the view" }))
const traceparent = optional(Text.annotate({ description: "W3C trace context" }))
const requestId = optional(Text.annotate({ description: "echoed; at most 128 printable characters" }))
const token = optional(Text.annotate({ description: "Consistency-Token of an earlier answer: at least this fresh" }))

const common = { prefer, traceparent, "x-request-id": requestId }

export const command = {
  ...common,
  // Read in IdempotencyKey.ts: what is wrong with it has a problem type of its own.
  "idempotency-key": optional(
    Text.annotate({ description: "1 to 255 printable characters: sent again with the same key, it is done only once" })
  ),
  "if-match": optional(IfMatch.annotate({ description: "the version that must still be current, or *" })),
  "if-none-match": optional(IfNoneMatch.annotate({ description: "it must not exist yet" }))
}

export const read = {
  ...common,
  "consistency-token": token,
  "if-none-match": optional(Text.annotate({ description: "entity tags: 304 if one is current" }))
}

export const list = { ...common, "consistency-token": token }

/** An answer that was given before, under the same `Idempotency-Key`. */
const replayed = { "idempotent-replayed": optional(Schema.Literal("true")) }

export const receipt = {
  ...replayed,
  etag: Text,
  "consistency-token": Text,
  location: optional(Text),
  link: optional(Text)
}

/** `Freshness` is an RFC 9651 dictionary. */
export const view = {
  ...replayed,
  etag: Text,
  "consistency-token": Text,
  freshness: Text,
  location: optional(Text),
  "preference-applied": optional(Text)
}

/** Of an order as it was once: it never changes again. */
export const version = { etag: Text, "cache-control": Text }

export const counts = {
  "consistency-token": Text,
  freshness: Text,
  "preference-applied": optional(Text)
}

export const page = { ...counts, link: optional(Text) }

/** Of a product or a customer, which are read from their actor: the newest there is, so there is no `Freshness` to tell. */
export const entity = {
  ...replayed,
  etag: Text,
  "consistency-token": Text,
  location: optional(Text),
  "preference-applied": optional(Text)
}

export const catalogReceipt = { ...replayed, etag: Text, "consistency-token": Text, location: optional(Text) }
