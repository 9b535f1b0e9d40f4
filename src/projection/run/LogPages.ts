/** Reads the log inside a transaction, on its connection. Whatever needs no transaction reads through `EventStore`. */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import * as EventRow from "../../eventstore/EventRow.ts"
import type { CheckpointKey, Consumer } from "../Projection.ts"

/** Reads a page of the whole log from `after + 1` on, up to position `upTo`. */
export const ofLog = (sql: SqlClient.SqlClient, after: bigint, upTo: bigint, limit: number) =>
  sql<EventRow.EventRow>`SELECT ${sql.literal(EventRow.columns)} FROM ordinal.events
    WHERE "position" > ${after} AND "position" <= ${upTo} ORDER BY "position" LIMIT ${limit}`.pipe(
    Effect.map(EventRow.decode)
  )

/** Reads a page of a stream from version `from` on, up to position `upTo`. */
export const ofStream = (sql: SqlClient.SqlClient, streamId: string, from: number, upTo: bigint, limit: number) =>
  sql<EventRow.EventRow>`SELECT ${sql.literal(EventRow.columns)} FROM ordinal.events
    WHERE stream_id = ${streamId} AND version >= ${from} AND "position" <= ${upTo}
    ORDER BY version LIMIT ${limit}`.pipe(Effect.map(EventRow.decode))

/** Gives the id of the event at a position; null if there is none. */
export const eventIdAt = (sql: SqlClient.SqlClient, position: bigint) =>
  sql<{
    readonly eventId: string
  }>`SELECT event_id AS "eventId" FROM ordinal.events WHERE "position" = ${position}`.pipe(
    Effect.map(([row]) => row?.eventId ?? null)
  )

/** Gives the stream's version as of a position; 0 if it did not exist then. */
export const versionAt = (sql: SqlClient.SqlClient, streamId: string, position: bigint) =>
  sql<{ readonly version: number }>`SELECT version FROM ordinal.events
    WHERE stream_id = ${streamId} AND "position" <= ${position}
    ORDER BY version DESC LIMIT 1`.pipe(Effect.map(([row]) => row?.version ?? 0))

/** Gives the streams of these categories that the events at these positions belong to, each once. */
export const someStreams = (
  sql: SqlClient.SqlClient,
  categories: ReadonlyArray<string>,
  upTo: bigint,
  positions: ReadonlyArray<bigint>
) =>
  sql<{ readonly streamId: string }>`SELECT DISTINCT stream_id AS "streamId" FROM ordinal.events
    WHERE "position" = ANY(${positions}::bigint[]) AND "position" <= ${upTo}
      AND split_part(stream_id, '-', 1) = ANY(${categories}::text[])
    ORDER BY stream_id`.pipe(Effect.map((rows) => rows.map((row) => row.streamId)))

/** Gives those of the streams that have no event at all. */
export const unknownStreams = (sql: SqlClient.SqlClient, streamIds: ReadonlyArray<string>) =>
  sql<{ readonly streamId: string }>`SELECT asked.stream_id AS "streamId"
    FROM unnest(${streamIds}::text[]) AS asked (stream_id)
    WHERE NOT EXISTS (SELECT FROM ordinal.events e WHERE e.stream_id = asked.stream_id AND e.version = 1)
    ORDER BY asked.stream_id`.pipe(Effect.map((rows) => rows.map((row) => row.streamId)))

/**
 * Lists, sorted by id, at most `limit` streams of these categories whose ids come after `after` and whose first event
 * is at position `upTo` or before.
 */
export const streamsAfter = (
  sql: SqlClient.SqlClient,
  categories: ReadonlyArray<string>,
  upTo: bigint,
  after: string,
  limit: number
) =>
  sql<{ readonly streamId: string }>`SELECT stream_id AS "streamId" FROM ordinal.events
    WHERE version = 1 AND stream_id > ${after} AND "position" <= ${upTo}
      AND split_part(stream_id, '-', 1) = ANY(${categories}::text[])
    ORDER BY stream_id LIMIT ${limit}`.pipe(Effect.map((rows) => rows.map((row) => row.streamId)))

/** So many positions are searched for another event; what lies further off is left alone. */
const searched = 100_000n

/** Finds the first event after a position that a projection handles, of a stream that is neither parked nor one of `except`. */
export const nextOfOthers = (
  sql: SqlClient.SqlClient,
  { categories, types }: Consumer,
  { name, slot }: Pick<CheckpointKey, "name" | "slot">,
  after: bigint,
  except: ReadonlyArray<string>
) =>
  sql<EventRow.EventRow>`SELECT ${sql.literal(EventRow.columns)} FROM ordinal.events e
    WHERE "position" > ${after} AND "position" <= ${after + searched}
      AND split_part(stream_id, '-', 1) = ANY(${categories}::text[])
      AND (${types === undefined}::boolean OR type = ANY(${types ?? []}::text[]))
      AND stream_id <> ALL(${except}::text[])
      AND NOT EXISTS (
        SELECT FROM ordinal.parked_streams p
        WHERE p.projection = ${name} AND p.slot = ${slot} AND p.parked AND p.stream_id = e.stream_id
      )
    ORDER BY "position" LIMIT 1`.pipe(Effect.map((rows) => EventRow.decode(rows)[0]))
