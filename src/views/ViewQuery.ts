/** The queries of every view say how fresh their answer is, and refuse cursors that are not theirs. */
import { Schema } from "effect"

/** Tells how fresh an answer is; it was read in the same snapshot as the answer's rows. */
export interface Freshness {
  /** The view has applied the log up to this position, its checkpoint. */
  readonly position: bigint
  /** So many events of the log are not applied yet. */
  readonly behind: number
  /** The oldest of these events is so many seconds old; 0 if there is none. */
  readonly lag: number
  /** The view has set so many streams aside. */
  readonly parked: number
}

/** The cursor is malformed, of another version, or was made for another filter or sort. */
export class InvalidCursor extends Schema.TaggedError<InvalidCursor>()("InvalidCursor", {}, { httpApiStatus: 400 }) {
  override get message() {
    return "This cursor does not belong to this query. Start again without a cursor, or keep the filter and sort of the page before."
  }
}
