/** Holds the errors of appends, besides `DatabaseUnavailable`; `retryAfter` is in seconds. Clients load this file. */
import { Schema } from "effect"
import { StreamId } from "./StreamId.ts"

/** There was no room for the request, so nothing was done; the caller can try again after `retryAfter` seconds. */
export class Overloaded extends Schema.TaggedError<Overloaded>()(
  "Overloaded",
  { what: Schema.String, retryAfter: Schema.Finite },
  { httpApiStatus: 503 }
) {
  override get message() {
    return `Nothing was done because ${this.what} is full; try again in ${this.retryAfter} s.`
  }
}

/**
 * The connection was lost during an append and the database stayed away until the deadline, so the events may be
 * stored. The caller can read the stream, or append the same entries again: stored ones come back as `Duplicate`.
 */
export class OutcomeUnknown extends Schema.TaggedError<OutcomeUnknown>()(
  "OutcomeUnknown",
  { retryAfter: Schema.Finite },
  { httpApiStatus: 503 }
) {
  override get message() {
    return (
      "The command may or may not have been stored; read the newest state, or send the command again with its " +
      `Idempotency-Key, in ${this.retryAfter} s.`
    )
  }
}

/**
 * The writer lost a race: the stream is at another version than it expected. It can read the stream and decide again.
 */
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
