import { Schema } from "effect"

/** The command's id was used before, for another request. Nothing was done. */
export class CommandIdReused extends Schema.TaggedError<CommandIdReused>()(
  "CommandIdReused",
  {},
  { httpApiStatus: 422 }
) {
  override get message() {
    return "this Idempotency-Key was used for another request; send the same request again, or take a new key"
  }
}
