/** The errors of appends, besides `DatabaseUnavailable`. `retryAfter` is in seconds. Clients load this file. */
import { Schema } from "effect"
import { StreamId } from "./StreamId.ts"

/** There was no room for the request, so certainly nothing was done; try again after `retryAfter`. */
export class Overloaded extends Schema.TaggedError<Overloaded>()(
  "Overloaded",
  { what: Schema.String, retryAfter: Schema.Number },
  { httpApiStatus: 503 }
) {
  override get message() {
    return `Nothing was done because ${this.what} is full; try again in ${this.retryAfter} s.`
  }
}

/**
 * The connection was lost during an append and the database stayed away until the deadline, so the events may or may not
 * be stored. The caller can read the stream, or append the very same entries again: what is stored is then a duplicate.
 */
export class OutcomeUnknown extends Schema.TaggedError<OutcomeUnknown>()(
  "OutcomeUnknown",
  { retryAfter: Schema.Number },
  { httpApiStatus: 503 }
) {
  override get message() {
    return (
      "The command may or may not have been stored; read the order, or send the command again with its " +
      `Idempotency-Key, in ${this.retryAfter} s.`
    )
  }
}

/** A lost race: the stream is at another version than the writer expected. Read the stream and decide again. */
export class ConcurrencyConflict extends Schema.TaggedError<ConcurrencyConflict>()(
  "ConcurrencyConflict",
  { streamId: StreamId, currentVersion: Schema.Int },
  { httpApiStatus: 409 }
) {
  override get message() {
    return (
      `Stream ${this.streamId} was changed by somebody else and is now at version ${this.currentVersion}; ` +
      "read it and try again."
    )
  }
}
