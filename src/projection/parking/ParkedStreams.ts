/**
 * The streams a projection has set aside, one statement per function. All that changes them runs in a transaction that
 * holds the checkpoint's lock, and keeps the number in its row right.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import type { StreamId } from "../../eventstore/StreamId.ts"
import type { CheckpointKey, Slot } from "../Projection.ts"

type Key = Pick<CheckpointKey, "name" | "slot">

/** A stream with the event that fails and why. */
export interface Culprit {
  readonly event: RecordedEvent
  readonly reason: string
}

export interface Parked {
  readonly id: string
  readonly projection: string
  readonly slot: Slot
  readonly streamId: StreamId
  readonly version: number
  readonly position: bigint
  readonly reason: string
  readonly parkedAt: Date
  readonly retries: number
  readonly parked: boolean
  readonly degraded: boolean
  readonly skipped: ReadonlyArray<number>
}

const columns = `id, projection, slot, stream_id AS "streamId", version, "position", reason, parked_at AS "parkedAt",
  retries, parked, degraded, skipped`

/** Those that are parked among the streams. */
export const among = (sql: SqlClient.SqlClient, { name, slot }: Key, streamIds: ReadonlyArray<string>) =>
  sql<{ readonly streamId: StreamId }>`SELECT stream_id AS "streamId" FROM ordinal.parked_streams
    WHERE projection = ${name} AND slot = ${slot} AND parked AND stream_id = ANY(${streamIds}::text[])
    ORDER BY stream_id`.pipe(Effect.map((rows) => new Set(rows.map((row) => row.streamId))))

/** Where the live view of this stream ends: the position of the first event it does not have. */
export const parkedAt = (sql: SqlClient.SqlClient, name: string, streamId: string) =>
  sql<{ readonly position: bigint }>`SELECT "position" FROM ordinal.parked_streams
    WHERE projection = ${name} AND slot = 'live' AND stream_id = ${streamId} AND parked`.pipe(
    Effect.map(([row]) => row?.position)
  )

/** Whether the live view was made without this event. */
export const isSkipped = (sql: SqlClient.SqlClient, name: string, { streamId, version }: RecordedEvent) =>
  sql`SELECT FROM ordinal.parked_streams
    WHERE projection = ${name} AND slot = 'live' AND stream_id = ${streamId} AND ${version} = ANY(skipped)`.pipe(
    Effect.map((rows) => rows.length > 0)
  )

/** One that is parked already stays so, at its earlier event. */
export const park = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { name, slot }: Key,
  { event, reason }: Culprit
) {
  const isNew = yield* sql`
    INSERT INTO ordinal.parked_streams AS p (projection, slot, stream_id, version, "position", reason, parked_at)
    VALUES (${name}, ${slot}, ${event.streamId}, ${event.version}, ${event.position}, ${reason}, clock_timestamp())
    ON CONFLICT (projection, slot, stream_id) DO UPDATE SET
      version = excluded.version, "position" = excluded."position", reason = excluded.reason, parked = true,
      parked_at = excluded.parked_at, retries = 0
    WHERE NOT p.parked
    RETURNING p.id`
  if (isNew.length > 0)
    yield* sql`UPDATE ordinal.checkpoints SET parked = parked + 1 WHERE projection = ${name} AND slot = ${slot}`
})

/** On record that the event was dropped; its stream goes on. */
export const recordSkip = (sql: SqlClient.SqlClient, { name, slot }: Key, { event, reason }: Culprit) =>
  sql`
    INSERT INTO ordinal.parked_streams AS p
      (projection, slot, stream_id, version, "position", reason, parked, parked_at, skipped)
    VALUES (${name}, ${slot}, ${event.streamId}, ${event.version}, ${event.position}, ${reason}, false,
      clock_timestamp(), ARRAY[${event.version}::integer])
    ON CONFLICT (projection, slot, stream_id) DO UPDATE SET skipped = p.skipped || excluded.skipped`

/** All, or the one of this id, that serve reads. */
export const list = (sql: SqlClient.SqlClient, id?: string) =>
  sql<Parked>`SELECT ${sql.literal(columns)} FROM ordinal.parked_streams
    WHERE slot = 'live' AND ${id === undefined ? sql`true` : sql`id::text = ${id}`}
    ORDER BY projection, "position"`

/** That it now fails at this event. */
export const failsAt = (sql: SqlClient.SqlClient, id: string, { event, reason }: Culprit) =>
  sql`UPDATE ordinal.parked_streams
    SET version = ${event.version}, "position" = ${event.position}, reason = ${reason}, retries = retries + 1
    WHERE id = ${id} AND parked`

/** Everything before this event is applied. */
export const reached = (
  sql: SqlClient.SqlClient,
  id: string,
  { position, version }: Pick<RecordedEvent, "position" | "version">
) => sql`UPDATE ordinal.parked_streams SET version = ${version}, "position" = ${position} WHERE id = ${id}`

/** Follows the stream again. What was skipped stays on record. */
export const unpark = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, { id, projection, slot }: Parked) {
  yield* sql`DELETE FROM ordinal.parked_streams WHERE id = ${id} AND NOT degraded`
  yield* sql`UPDATE ordinal.parked_streams SET parked = false WHERE id = ${id}`
  yield* sql`UPDATE ordinal.checkpoints SET parked = parked - 1 WHERE projection = ${projection} AND slot = ${slot}`
})
