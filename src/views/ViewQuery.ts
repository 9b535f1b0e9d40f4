/** What the queries of every view answer beside their data, and refuse. */
import { Schema } from "effect"

/** Tells how fresh an answer is; it was read in the same snapshot as the answer's rows. */
export interface Freshness {
  /** The view's checkpoint: the position up to which it has applied the log. */
  readonly position: bigint
  /** The number of events in the log that the view has not applied. */
  readonly behind: number
  /** The age of the oldest of these events in seconds; 0 if there is none. */
  readonly lag: number
  /** The number of streams that the view has set aside. */
  readonly parked: number
}

/** The cursor is malformed, of another version, or was made for another filter or sort. */
export class InvalidCursor extends Schema.TaggedError<InvalidCursor>()("InvalidCursor", {}, { httpApiStatus: 400 }) {
  override get message() {
    return "This cursor does not belong to this query. Start again without a cursor, or keep the filter and sort of the page before."
  }
}
