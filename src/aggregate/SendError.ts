/** What `Aggregates.send` can answer besides the domain's own rejection. */
import { Schema } from "effect"
import type { ConcurrencyConflict, OutcomeUnknown, Overloaded } from "../eventstore/EventStoreErrors.ts"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"

/** The precondition failed: the stream is at another version than the caller named. Nothing was done. */
export class VersionMismatch extends Schema.TaggedError<VersionMismatch>()(
  "VersionMismatch",
  { expected: Schema.optionalKey(Schema.Int), currentVersion: Schema.Int },
  { httpApiStatus: 412 }
) {
  override get message() {
    return `the version is ${this.currentVersion}, not the one your precondition names; read it again and decide anew`
  }
}

/** The process is shutting down. Nothing was done. */
export class Draining extends Schema.TaggedError<Draining>()(
  "Draining",
  { retryAfter: Schema.Number },
  { httpApiStatus: 503 }
) {
  override get message() {
    return `this process is shutting down; nothing was done; try again in ${this.retryAfter} s`
  }
}

/** Commands of this id failed by a defect again and again, so it rests for a while. Nothing was done. */
export class AggregateSuspended extends Schema.TaggedError<AggregateSuspended>()(
  "AggregateSuspended",
  { retryAfter: Schema.Number },
  { httpApiStatus: 503 }
) {
  override get message() {
    return `commands for this id keep failing inside the server, so it is suspended; nothing was done; try again in ${this.retryAfter} s`
  }
}

export type Unavailable = Overloaded | DatabaseUnavailable | OutcomeUnknown | Draining | AggregateSuspended

export type SendError = ConcurrencyConflict | VersionMismatch | Unavailable
