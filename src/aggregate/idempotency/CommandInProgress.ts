import { Schema } from "effect"

/** The same command is still running, and did not end in the time this caller could wait. */
export class CommandInProgress extends Schema.TaggedError<CommandInProgress>()(
  "CommandInProgress",
  { retryAfter: Schema.Number },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `a request with this Idempotency-Key is still running; send it again in ${this.retryAfter} s`
  }
}
