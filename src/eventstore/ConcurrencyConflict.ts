import { Schema } from "effect"
import { StreamId } from "./StreamId.ts"

/** A lost race: the stream is at another version than the writer expected. */
export class ConcurrencyConflict extends Schema.TaggedError<ConcurrencyConflict>()(
  "ConcurrencyConflict",
  { streamId: StreamId, currentVersion: Schema.Int },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `stream ${this.streamId} was changed by somebody else and is now at version ${this.currentVersion}; read it and try again`
  }
}
