/**
 * Reads and writes the rows of parked streams, one statement per function. Whatever changes them runs in a transaction
 * that holds the lock of the checkpoint, and keeps the number of parked streams in its row right.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import { plainRow } from "../PlainRow.ts"
import type { CheckpointKey } from "../Projection.ts"
import type { ParkedStream } from "./ParkedStreams.ts"

/**
 * The reason of a stream that is parked because its event is unknown to the program that runs the projection begins so.
 * Another program may know it, so each program that takes the lease tries these streams again.
 */
export const unknownReason = "This program does not know"

type Key = Pick<CheckpointKey, "name" | "slot">

/** An event fails, for this reason. */
export interface Culprit {
  readonly event: RecordedEvent
  readonly reason: string
}

/** Gives those of these streams that are parked. */
export const among = (sql: SqlClient.SqlClient, { name, slot }: Key, streamIds: ReadonlyArray<string>) =>
  sql<{ readonly streamId: string }>`SELECT stream_id AS "streamId" FROM ordinal.parked_streams
    WHERE projection = ${name} AND slot = ${slot} AND parked AND stream_id = ANY(${streamIds}::text[])
    ORDER BY stream_id`.pipe(Effect.map((rows) => new Set(rows.map((row) => row.streamId))))

/** Gives the position of the first event of this stream that the live view lacks; undefined if it is not parked. */
export const parkedAt = (sql: SqlClient.SqlClient, name: string, streamId: string) =>
  sql<{ readonly position: bigint }>`SELECT "position" FROM ordinal.parked_streams
    WHERE projection = ${name} AND slot = 'live' AND stream_id = ${streamId} AND parked`.pipe(
    Effect.map(([row]) => row?.position)
  )

/** Tells whether a stream is parked or degraded, so that its row is known to lack events. */
export const isSetAside = (sql: SqlClient.SqlClient, { name, slot }: Key, streamId: string) =>
  sql`SELECT FROM ordinal.parked_streams
    WHERE projection = ${name} AND slot = ${slot} AND stream_id = ${streamId}`.pipe(
    Effect.map((rows) => rows.length > 0)
  )

/** Tells whether the live view was made without this event. */
export const isSkipped = (sql: SqlClient.SqlClient, name: string, { streamId, version }: RecordedEvent) =>
  sql`SELECT FROM ordinal.parked_streams
    WHERE projection = ${name} AND slot = 'live' AND stream_id = ${streamId} AND ${version} = ANY(skipped)`.pipe(
    Effect.map((rows) => rows.length > 0)
  )

/** Parks the stream of an event. One that is parked already stays so, at its earlier event. */
export const park = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { name, slot }: Key,
  { event, reason }: Culprit
) {
  const parked = yield* sql`
    INSERT INTO ordinal.parked_streams AS p (projection, slot, stream_id, version, "position", reason, parked_at)
    VALUES (${name}, ${slot}, ${event.streamId}, ${event.version}, ${event.position}, ${reason}, clock_timestamp())
    ON CONFLICT (projection, slot, stream_id) DO UPDATE SET
      version = excluded.version, "position" = excluded."position", reason = excluded.reason, parked = true,
      parked_at = excluded.parked_at, retries = 0
    WHERE NOT p.parked
    RETURNING p.id`
  if (parked.length > 0)
    yield* sql`UPDATE ordinal.checkpoints SET parked = parked + 1 WHERE projection = ${name} AND slot = ${slot}`
})

/** Records that an event was skipped, while its stream goes on. */
export const recordSkip = (sql: SqlClient.SqlClient, { name, slot }: Key, { event, reason }: Culprit) =>
  sql`
    INSERT INTO ordinal.parked_streams AS p
      (projection, slot, stream_id, version, "position", reason, parked, parked_at, skipped)
    VALUES (${name}, ${slot}, ${event.streamId}, ${event.version}, ${event.position}, ${reason}, false,
      clock_timestamp(), ARRAY[${event.version}::integer])
    ON CONFLICT (projection, slot, stream_id) DO UPDATE SET skipped = p.skipped || excluded.skipped`

/** Lists parked and degraded streams of the tables that serve, or the one of this id. */
export const list = (sql: SqlClient.SqlClient, id?: string) =>
  sql`SELECT id, projection, stream_id AS "streamId", version, "position", reason, parked_at AS "parkedAt", retries,
      parked, degraded, skipped
    FROM ordinal.parked_streams
    WHERE slot = 'live' AND ${id === undefined ? sql`true` : sql`id::text = ${id}`}
    ORDER BY projection, "position"`.pipe(Effect.map((rows) => rows.map(plainRow<ParkedStream>)))

/** Lists the ids of the streams of a live view that are parked because their event was unknown. */
export const unknown = (sql: SqlClient.SqlClient, name: string) =>
  sql<{ readonly id: string }>`SELECT id FROM ordinal.parked_streams
    WHERE projection = ${name} AND slot = 'live' AND parked AND starts_with(reason, ${unknownReason})
    ORDER BY "position"`.pipe(Effect.map((rows) => rows.map(({ id }) => id)))

/** Records that a retry failed, at this event. */
export const failsAt = (sql: SqlClient.SqlClient, id: string, { event, reason }: Culprit) =>
  sql`UPDATE ordinal.parked_streams
    SET version = ${event.version}, "position" = ${event.position}, reason = ${reason}, retries = retries + 1
    WHERE id = ${id} AND parked`

/** Records that everything up to this event of the stream is applied or skipped. */
export const advance = (
  sql: SqlClient.SqlClient,
  id: string,
  { position, version }: Pick<RecordedEvent, "position" | "version">
) => sql`UPDATE ordinal.parked_streams SET version = ${version + 1}, "position" = ${position + 1n} WHERE id = ${id}`

/** Follows a stream of a live table again. What was skipped stays on record. */
export const unpark = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, { id, projection }: ParkedStream) {
  yield* sql`DELETE FROM ordinal.parked_streams WHERE id = ${id} AND NOT degraded`
  yield* sql`UPDATE ordinal.parked_streams SET parked = false WHERE id = ${id}`
  yield* sql`UPDATE ordinal.checkpoints SET parked = parked - 1 WHERE projection = ${projection} AND slot = 'live'`
})
