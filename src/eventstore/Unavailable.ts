/** "Can't answer now, try again": typed, each with `retryAfter` in seconds. */
import { Schema } from "effect"

/** Certainly not done: there was no room. */
export class Overloaded extends Schema.TaggedError<Overloaded>()(
  "Overloaded",
  { what: Schema.String, retryAfter: Schema.Number },
  { httpApiStatus: 503 }
) {
  override get message() {
    return `${this.what} is full; nothing was done; try again in ${this.retryAfter} s`
  }
}

/** Certainly not done: the database could not be reached or refused to work; `isBusy`: others held what this needs. */
export class DatabaseUnavailable extends Schema.TaggedError<DatabaseUnavailable>()(
  "DatabaseUnavailable",
  { retryAfter: Schema.Number, isBusy: Schema.optionalKey(Schema.Boolean), cause: Schema.optionalKey(Schema.Defect()) },
  { httpApiStatus: 503 }
) {
  override get message() {
    const problem = this.isBusy ? "what this needs is locked by work that takes long" : "the database can't be reached"
    return `${problem}; nothing was done; try again in ${this.retryAfter} s`
  }
}

/** Perhaps done: the connection was lost during the append and the database stayed away until the deadline. */
export class OutcomeUnknown extends Schema.TaggedError<OutcomeUnknown>()(
  "OutcomeUnknown",
  { retryAfter: Schema.Number },
  { httpApiStatus: 503 }
) {
  override get message() {
    return `the command may or may not have been stored; read the order, or send it again with its Idempotency-Key, in ${this.retryAfter} s`
  }
}
