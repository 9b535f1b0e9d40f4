/** The queries of every view say how fresh their answer is, and refuse cursors that are not theirs. */
import { Option, Schema } from "effect"
import type { InvalidToken, ProjectionBehind } from "../consistency/ConsistencyToken.ts"

/** A query that is given a token fails so if the token is not of this log, or the view is behind it. */
export type TokenError = InvalidToken | ProjectionBehind

/** Tells how fresh an answer is; it was read in the same snapshot as the answer's rows. */
export interface Freshness {
  /** The view has applied the log up to this position, its checkpoint. */
  readonly position: bigint
  /** So many events of the log are not applied yet. */
  readonly behind: number
  /** The oldest of these events is so many seconds old; 0 if there is none. */
  readonly lag: number
  /** The view has set so many streams aside; rows of this answer that can't be read are counted, too. */
  readonly parked: number
  /** This consistency token is of `position`. */
  readonly token: string
}

/**
 * Makes something of a stored value, which is read by its type alone: today's bounds do not judge it. Gives `undefined`
 * if the value is not of that type, or if `make` throws on it.
 */
export const readStored = <Stored>(schema: Schema.Codec<Stored, unknown>) => {
  const decode = Schema.decodeUnknownOption(schema, { disableChecks: true })
  return <A>(value: unknown, make: (stored: Stored) => A): A | undefined => {
    const stored = Option.getOrUndefined(decode(value))
    if (stored === undefined) return undefined
    try {
      return make(stored)
    } catch {
      return undefined
    }
  }
}

/** Leaves out the rows of a page that can't be read, and counts them as set aside, so that the others are served. */
export const readableRows = <A>(rows: ReadonlyArray<A | undefined>, freshness: Freshness) => {
  const readable = rows.filter((row) => row !== undefined)
  const unreadable = rows.length - readable.length
  return { readable, freshness: { ...freshness, parked: freshness.parked + unreadable } }
}

/**
 * The cursor is malformed, of another version, or was made for another filter or sort; with `position`, this log does not
 * know that position, up to which the list had been read.
 */
export class InvalidCursor extends Schema.TaggedError<InvalidCursor>()(
  "InvalidCursor",
  { position: Schema.optionalKey(Schema.BigInt) },
  { httpApiStatus: 400 }
) {
  override get message() {
    return this.position === undefined
      ? "This cursor does not belong to this query. Start again without a cursor, or keep the filter and sort of the page before."
      : `This log does not know position ${this.position}, up to which this list was read: history was lost by restoring an older copy, or the cursor is of another log. Start again without a cursor.`
  }
}
