/**
 * The place of a reader who polls orders by `updatedAt`: all orders whose last change is at or before its position were
 * listed, but for those that the view had set aside then.
 * Invariant: no order is missed. The view applies the log in order, so an order changes behind every place given out before.
 * A stream that was parked comes back at old positions: a place names the streams that were parked, and goes back to before
 * them once they are others. After a restore, positions are those of other events: a place knows the event up to which the
 * view was read, and is refused if the log has another one there.
 */
import { Effect, Result } from "effect"
import type { SqlClient } from "effect/sql"
import type { Lag } from "../../projection/Checkpoint.ts"
import * as ConsistencyToken from "../../projection/consistency/ConsistencyToken.ts"
import type { ProjectionKey } from "../../projection/Projection.ts"
import { type Freshness, InvalidCursor } from "../../projection/view/ViewQuery.ts"

export interface PollingPlace {
  readonly _tag: "Updated"
  readonly position: bigint
  /** The view had applied the log up to here when it was read. Cursors of older programs do not say it. */
  readonly read?: ConsistencyToken.ConsistencyToken
  /** These streams were parked then; absent if there were none. */
  readonly parked?: string
}

const number = /^(?:0|[1-9]\d{0,17})$/
const parkedText = /^\d{1,18}\.-?\d{1,30}$/

/** Makes the parts of a cursor. Older programs look at the first one only. */
export const toParts = ({ parked = "", position, read }: PollingPlace): ReadonlyArray<string> =>
  read === undefined ? [String(position)] : [String(position), `${read.position}.${read.check}`, parked]

export const fromParts = ([position = "", read, parked = ""]: ReadonlyArray<string>): PollingPlace | undefined => {
  if (!number.test(position)) return undefined
  const place = { _tag: "Updated", position: BigInt(position) } as const
  if (read === undefined) return place
  const token = Result.getOrUndefined(ConsistencyToken.parse(read))
  if (token === undefined || !(parked === "" || parkedText.test(parked))) return undefined
  return { ...place, read: token, ...(parked === "" ? {} : { parked }) }
}

export interface Polled {
  /** The id of the event up to which the view was read; null if the log has none there. */
  readonly readEventId: string | null
  /**
   * Names the parked streams by the first one's position and a sum of hashes, which is another one if the streams, or the
   * events at which they are parked, are others. Null if no stream is parked.
   */
  readonly parkedStreams: string | null
}

/** The columns of `Polled`, beside the freshness `f` of the same statement. */
export const columns = (sql: SqlClient.SqlClient, { name }: Pick<ProjectionKey, "name">, place?: PollingPlace) =>
  sql`(SELECT e.event_id FROM ordinal.events e WHERE e."position" = ${place?.read?.position ?? -1n}::bigint) AS "readEventId",
    CASE WHEN f.parked > 0 THEN (
      SELECT min(s."position") || '.' || sum(hashtextextended(s.stream_id, s."position"))
      FROM ordinal.parked_streams s WHERE s.projection = ${name} AND s.slot = 'live' AND s.parked
    ) END AS "parkedStreams"`

/**
 * Refuses a place of another log, or of history that was lost. Until a view that was made of such history is rebuilt, it
 * has no place to tell.
 */
export const check = (
  place: PollingPlace | undefined,
  { eventId, logId, position, readEventId }: Pick<Lag, "eventId" | "logId" | "position"> & Partial<Polled>
): Effect.Effect<void, InvalidCursor | ConsistencyToken.ProjectionBehind> => {
  const read = place?.read
  if (read !== undefined && !ConsistencyToken.isOf(read, logId, readEventId ?? undefined)) {
    return Effect.fail(new InvalidCursor({ position: read.position }))
  }
  return position === 0n || eventId !== null
    ? Effect.void
    : Effect.fail(new ConsistencyToken.ProjectionBehind({ required: position, current: 0n, retryAfter: 1 }))
}

/**
 * Gives the earlier place to list from, before the first stream that was parked, if other streams are parked by now;
 * undefined if the list goes on where it is.
 */
export const earlier = (place: PollingPlace, parkedNow: string | undefined): PollingPlace | undefined => {
  const { parked, position, ...rest } = place
  if (parked === undefined || parked === parkedNow) return undefined
  const before = BigInt(parked.slice(0, parked.indexOf("."))) - 1n
  if (before >= position) return undefined
  return { ...rest, position: before, ...(parkedNow === undefined ? {} : { parked: parkedNow }) }
}

/**
 * Makes the place after a page, whose last order was changed at the position `last`. Without one, all that the view
 * holds was listed.
 */
export const after = (
  before: PollingPlace | undefined,
  last: bigint | undefined,
  { position, token }: Freshness,
  parked: string | undefined
): PollingPlace => {
  const now = Result.getOrThrow(ConsistencyToken.parse(token))
  // A view that is made anew is behind what was read of it before.
  const isBehind = before !== undefined && before.position > position
  const read = before?.read !== undefined && before.read.position > now.position ? before.read : now
  return {
    _tag: "Updated",
    position: last ?? (isBehind ? before.position : position),
    read,
    ...(parked === undefined ? {} : { parked })
  }
}
