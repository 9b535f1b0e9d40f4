/**
 * The log in SQL: one implementation for PostgreSQL and PGlite, behind the `Database`.
 *
 * Appends go through `GroupCommit` and one server-side function that judges them under the head's lock. Reads are single
 * autocommit statements, a page each; no connection is held between two of them.
 */
import { Duration, Effect, Layer } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { Database } from "../database/Database.ts"
import * as AppendLane from "./append/AppendLane.ts"
import { EventStore, type RecordedEvent, type StoredCommand } from "./EventStore.ts"
import * as GroupCommit from "./append/GroupCommit.ts"
import * as LogSignal from "./tail/LogSignal.ts"
import { orUnavailable, withinSeconds } from "../database/SqlFailure.ts"
import * as VersionQuestions from "./VersionQuestions.ts"

/** `recordedAt` as the driver gives it. */
type Row<A> = Omit<A, "recordedAt"> & { readonly recordedAt: Date }

const toIso = <A>(row: Row<A>) => ({ ...row, recordedAt: row.recordedAt.toISOString() })

const mostPerPage = 500
/** Of events' data as text: no page of large ones fills the memory. */
const pageBytes = 1024 * 1024
const read = <A, R>(self: Effect.Effect<A, SqlError, R>) => self.pipe(orUnavailable, withinSeconds(6))

export const make = Effect.fnUntraced(function* (limits: GroupCommit.Limits = GroupCommit.defaultLimits) {
  const database = yield* Database
  const sql = database.reads
  const { grown, stored } = yield* LogSignal.make(database)
  const lanes = yield* Effect.all(
    Array.from({ length: database.appendLanes }, () => AppendLane.make(database.appendConnection, stored))
  )
  const append = yield* GroupCommit.make(lanes, limits)

  const columns = sql.literal(
    `"position", stream_id AS "streamId", version, event_id AS "eventId", type, schema_version AS "schemaVersion",
     data, metadata, recorded_at AS "recordedAt"`
  )

  /** An event's, about. What is not compressed, as small ones are not, need not be looked into. */
  const asText =
    "CASE WHEN pg_column_compression(data) IS NULL THEN pg_column_size(data) ELSE octet_length(data::text) END"
  /** Of those before an event in a page. */
  const sumBefore = (bytes: string) =>
    sql.literal(
      `coalesce(sum(${bytes}) OVER (ORDER BY "position" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)`
    )

  const readStream: EventStore["Service"]["readStream"] = (streamId, { after, limit }) =>
    sql<Row<RecordedEvent>>`SELECT ${columns} FROM ordinal.events
      WHERE stream_id = ${streamId} AND version > ${after}
      ORDER BY version LIMIT ${Math.min(limit, mostPerPage)}`.pipe(
      Effect.map((rows) => rows.map(toIso)),
      read
    )

  // What is large as it is stored is left out first, so that only little is decompressed to be measured.
  const readAll: EventStore["Service"]["readAll"] = ({ after, limit }) =>
    sql<Row<RecordedEvent>>`SELECT ${columns} FROM (
        SELECT *, ${sumBefore(asText)} AS text_before FROM (
          SELECT *, ${sumBefore("pg_column_size(data)")} AS stored_before
          FROM ordinal.events WHERE "position" > ${after} ORDER BY "position" LIMIT ${Math.min(limit, mostPerPage)}
        ) AS page
        WHERE stored_before < ${pageBytes} OR "position" <= ${after}::bigint + 2
      ) AS page
      WHERE text_before < ${pageBytes} OR "position" <= ${after}::bigint + 2 ORDER BY "position"`.pipe(
      Effect.map((rows) => rows.map(toIso)),
      read
    )

  const currentVersion = yield* VersionQuestions.make((streamIds) =>
    sql<{ readonly version: number }>`SELECT coalesce((
        SELECT e.version FROM ordinal.events e
        WHERE e.stream_id = asked.stream_id COLLATE "C" ORDER BY e.version DESC LIMIT 1
      ), 0) AS version
      FROM unnest(${streamIds}::text[]) WITH ORDINALITY AS asked (stream_id, ord)
      ORDER BY asked.ord`.pipe(
      Effect.map((rows) => rows.map((row) => row.version)),
      read
    )
  )

  const findCommand: EventStore["Service"]["findCommand"] = (commandId) =>
    sql<Row<StoredCommand>>`SELECT command_id AS "commandId", fingerprint, stream_id AS "streamId", version, "position",
      receipt, recorded_at AS "recordedAt" FROM ordinal.commands WHERE command_id = ${commandId}`.pipe(
      Effect.map(([row]) => (row === undefined ? undefined : toIso(row))),
      read
    )

  const forgetCommands: EventStore["Service"]["forgetCommands"] = (age, limit) =>
    sql`DELETE FROM ordinal.commands WHERE command_id IN (
        SELECT command_id FROM ordinal.commands
        WHERE recorded_at < clock_timestamp() - ${Duration.toMillis(age)}::float8 * interval '1 millisecond'
        ORDER BY recorded_at LIMIT ${limit}
      ) RETURNING command_id`.pipe(
      Effect.map((rows) => rows.length),
      read
    )

  const head = sql<{ readonly logId: string; readonly position: bigint }>`SELECT log_id AS "logId", "position"
    FROM ordinal.log_head WHERE singleton`.pipe(
    Effect.flatMap(([row]) => (row === undefined ? Effect.die("the log has no head") : Effect.succeed(row))),
    read
  )

  return EventStore.of({
    append,
    readStream,
    readAll,
    currentVersion,
    findCommand,
    forgetCommands,
    head,
    grown,
    soleWriter: database.kind === "pglite"
  })
})

export const layer = Layer.effect(EventStore, make())
