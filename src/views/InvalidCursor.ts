import { Schema } from "effect"

/** The cursor is malformed, of another version, or was made for another filter or sort. */
export class InvalidCursor extends Schema.TaggedError<InvalidCursor>()("InvalidCursor", {}, { httpApiStatus: 400 }) {
  override get message() {
    return "this cursor does not belong to this query; start again without a cursor, with the same filter and sort"
  }
}
