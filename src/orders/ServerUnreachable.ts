import { Schema } from "effect"

/** Only remotely: the server was not reached, or what came back is no answer of it. A command was certainly not done. */
export class ServerUnreachable extends Schema.TaggedError<ServerUnreachable>()("ServerUnreachable", {
  reason: Schema.String,
  retryAfter: Schema.Number,
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message() {
    return `the server can't be reached (${this.reason}); nothing was done; try again in ${this.retryAfter} s`
  }
}
