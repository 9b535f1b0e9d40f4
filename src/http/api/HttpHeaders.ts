/** Defines the headers of requests and answers, by kind of endpoint. Every header of a request is optional. */
import { Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"
import { IfMatch, IfNoneMatch } from "../wire/HeaderValue.ts"

const optional = Schema.optionalKey
const Text = Schema.String
const text = optional(Text)

const common = { prefer: text, traceparent: text, "x-request-id": text }

export const command = {
  ...common,
  // RequestOptions reads the key: a malformed one has a problem type of its own.
  "idempotency-key": text,
  "if-match": optional(IfMatch),
  "if-none-match": optional(
    IfNoneMatch.annotate({ description: "The command is done only if the thing does not exist yet." })
  )
}
export type CommandHeaders = Schema.Struct.Type<typeof command>

export const list = { ...common, "consistency-token": text }
export type QueryHeaders = Schema.Struct.Type<typeof list>

export const read = { ...list, "if-none-match": text }

/** An answer with it was given before, under the same `Idempotency-Key`. */
const replayed = { "idempotent-replayed": optional(Schema.Literal("true")) }
const preferenceApplied = { "preference-applied": text }
const location = { location: text }
export const link = { link: text }
const entityTag = { etag: Text, "consistency-token": Text }

/** `Freshness` is an RFC 9651 dictionary. */
export const counts = { "consistency-token": Text, freshness: Text, ...preferenceApplied }

export const page = { ...counts, ...link }

/**
 * Answers without a body a caller who has the current version. `HttpApiSchema.Empty` would take any value, also one
 * that does not fit the schema of the answer with a body.
 */
export const notModified = Schema.Undefined.pipe(
  HttpApiSchema.asNoContent({ decode: () => undefined }),
  HttpApiSchema.status(304)
)

/** Answers a caller without a body who asked for that (`Prefer: return=minimal`, RFC 7240). */
export const minimal = Schema.Undefined.pipe(
  HttpApiSchema.asNoContent({ decode: () => undefined }),
  HttpApiSchema.status(204)
)

/** These come with an order as the view has it. */
export const view = { ...replayed, ...entityTag, ...counts, ...location }

/** These come with an old version of an order, which never changes. */
export const version = { etag: Text, "cache-control": Text }

export const receipt = { ...replayed, ...entityTag, ...location, ...link }

export const catalogReceipt = { ...replayed, ...entityTag, ...location }

/** These come with an aggregate, which is read from its actor. */
export const aggregate = { ...replayed, ...entityTag, ...preferenceApplied }

/** A product or customer is read from its actor: nothing is fresher, so its `Freshness` is never behind. */
export const entity = { ...catalogReceipt, ...counts }
