/**
 * Keeps the log in SQL: one implementation for PostgreSQL and PGlite, over the connections of `Database`.
 *
 * Appends go to `LogWriter`, whose group commit has them stored by `AppendLane`s. Reads are single autocommit statements of at
 * most a page; no connection is held between two of them. `SqlFailure` tells the failures of the database apart.
 */
import { Duration, Effect, Layer } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import * as BatchedReads from "../database/BatchedReads.ts"
import { Database } from "../database/Database.ts"
import * as OpenTransaction from "../database/OpenTransaction.ts"
import { orUnavailable, withinSeconds } from "../database/SqlFailure.ts"
import { executeOn } from "./append/AppendStatement.ts"
import * as AppendTrial from "./append/AppendTrial.ts"
import * as GroupCommit from "./append/GroupCommit.ts"
import * as LogWriter from "./append/LogWriter.ts"
import * as EventRow from "./EventRow.ts"
import { EventStore, maxPageSize, type StoredCommand } from "./EventStore.ts"
import type { StreamId } from "./StreamId.ts"
import * as LogSignal from "./tail/LogSignal.ts"

/** Bounds the events of a page of the log, in bytes of their data as text: no page of large events fills the memory. */
const maxPageBytes = 1024 * 1024

const read = <A, R>(self: Effect.Effect<A, SqlError, R>) => self.pipe(orUnavailable, withinSeconds(6))

/** Measures an event's data as text. Data that is stored uncompressed, as small data is, need not be read for it. */
const textSize =
  "CASE WHEN pg_column_compression(data) IS NULL THEN pg_column_size(data) ELSE octet_length(data::text) END"

/**
 * Makes a query of some of these events in the order of `key`, from `after + 1` on: at most `limit`, fewer if they are large,
 * but two. The inner query leaves out what is too large as it is stored, so that only little is decompressed to be measured.
 */
export const boundedPage = (
  sql: SqlClient.SqlClient,
  events: Statement.Fragment,
  key: "position" | "version",
  { after, limit }: { readonly after: bigint | number; readonly limit: number }
) => {
  const by = sql(key)
  const sumBefore = (bytes: string) =>
    sql`coalesce(sum(${sql.literal(bytes)}) OVER (
      ORDER BY ${by} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)`
  const isSecond = sql`${by} <= ${after}::bigint + 2`
  return sql`SELECT * FROM (
      SELECT *, ${sumBefore(textSize)} AS text_before FROM (
        SELECT *, ${sumBefore("pg_column_size(data)")} AS stored_before, count(*) OVER () AS found
        FROM (SELECT * FROM ${events} AND ${by} > ${after} ORDER BY ${by} LIMIT ${limit}) AS page
      ) AS page
      WHERE stored_before < ${maxPageBytes} OR ${isSecond}
    ) AS page
    WHERE text_before < ${maxPageBytes} OR ${isSecond}`
}

export const make = Effect.fnUntraced(function* (limits: GroupCommit.Limits = GroupCommit.defaultLimits) {
  const database = yield* Database
  const sql = database.reads
  const { append, grown, onAppended, outage } = yield* LogWriter.make(
    {
      lanes: database.appendLanes,
      connect: Effect.map(database.appendConnection, executeOn),
      channel: LogSignal.channelOf(database)
    },
    limits
  )
  const columns = sql.literal(EventRow.columns)

  const readAll: EventStore["Service"]["readAll"] = ({ after, limit }) =>
    sql<EventRow.EventRow>`SELECT ${columns}
      FROM (${boundedPage(sql, sql`ordinal.events WHERE true`, "position", { after, limit: Math.min(limit, maxPageSize) })}) AS page
      ORDER BY "position"`.pipe(Effect.map(EventRow.decode), read)

  // One event more than fits is looked for, which tells whether the stream goes on.
  const readStream: EventStore["Service"]["readStream"] = Effect.fnUntraced(function* (streamId, { after, limit }) {
    const most = Math.min(limit, maxPageSize)
    const stream = sql`ordinal.events WHERE stream_id = ${streamId}`
    const rows = yield* sql<EventRow.EventRow & { readonly found: bigint }>`SELECT ${columns}, found
      FROM (${boundedPage(sql, stream, "version", { after, limit: most + 1 })}) AS page
      WHERE version <= ${after}::bigint + ${most} ORDER BY version`.pipe(read)
    return { events: EventRow.decode(rows), hasMore: rows.length < Number(rows[0]?.found ?? 0) }
  })

  const currentVersion = yield* BatchedReads.make((streamIds: ReadonlyArray<StreamId>) =>
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
    sql<Omit<StoredCommand, "recordedAt"> & { readonly recordedAt: Date }>`SELECT
        command_id AS "commandId", fingerprint, stream_id AS "streamId", version, "position", receipt,
        recorded_at AS "recordedAt"
      FROM ordinal.commands WHERE command_id = ${commandId}`.pipe(
      Effect.map(([row]) => row && { ...row, recordedAt: row.recordedAt.toISOString() }),
      read
    )

  const forgetCommands: EventStore["Service"]["forgetCommands"] = (age, limit) =>
    sql<{ readonly forgotten: number }>`SELECT ordinal.forget_commands(
        ${Duration.toMillis(age)}::float8 * interval '1 millisecond', ${limit}::integer
      ) AS forgotten`.pipe(
      Effect.map(([row]) => row?.forgotten ?? 0),
      read
    )

  const head = sql<{ readonly logId: string; readonly position: bigint }>`SELECT log_id AS "logId", "position"
    FROM ordinal.log_head WHERE singleton`.pipe(
    Effect.flatMap(([row]) => (row === undefined ? Effect.die("The table log_head has no row.") : Effect.succeed(row))),
    read
  )

  return EventStore.of({
    append,
    inTransaction: Effect.orElseSucceed(OpenTransaction.isOpen(database), () => false),
    readStream,
    readAll,
    currentVersion,
    findCommand,
    forgetCommands,
    head,
    writable: AppendTrial.make(sql, database.appendConnection, outage),
    grown,
    onAppended,
    soleWriter: database.kind === "pglite"
  })
})

export const layer = Layer.effect(EventStore, make())
