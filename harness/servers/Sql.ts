/** Straight to the database, past the server: to make databases and to read the log as it is stored. */
import { PgClient } from "@effect/sql-pg"
import { Effect, Layer, Logger, ManagedRuntime, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { Database } from "../../src/database/Database.ts"
import { untilSo } from "../clocks/Until.ts"
import { connectTimeout, create } from "./FreshDatabase.ts"

export interface Sql {
  readonly rows: <Row>(statement: string) => Promise<ReadonlyArray<Row>>
  readonly close: () => Promise<void>
}

type SessionSettings = Readonly<Record<string, string>>

const clientAt = (url: string, startupParameters: SessionSettings): Layer.Layer<SqlClient.SqlClient, unknown> =>
  url.startsWith("pglite:")
    ? Layer.effect(
        SqlClient.SqlClient,
        Effect.map(Database, ({ reads }) => reads)
      ).pipe(Layer.provide(Database.layer({ url: Redacted.make(url) })), Layer.provide(Logger.layer([])))
    : PgClient.layer({
        url: Redacted.make(url),
        maxConnections: 2,
        applicationName: "system-check",
        connectTimeout,
        startupParameters
      })

/**
 * The PostgreSQL database at this URL, or the embedded one at `pglite:<directory>`, which nobody else may have open.
 */
export const open = (url: string, sessionSettings: SessionSettings = {}): Sql => {
  const runtime = ManagedRuntime.make(clientAt(url, sessionSettings))
  return {
    rows: <Row>(statement: string) =>
      runtime.runPromise(
        Effect.flatMap(SqlClient.SqlClient, (sql) =>
          // What the statement says is what the caller expects of it.
          Effect.map(sql.unsafe(statement), (rows) => rows as unknown as ReadonlyArray<Row>)
        )
      ),
    close: () => runtime.dispose()
  }
}

/**
 * Waits until the server's sessions in this database have ended: what a process that was killed had sent may still be
 * carried out after it.
 */
export const sessionsEnded = async (sql: Sql): Promise<void> => {
  const look = `SELECT DISTINCT application_name FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'ordinal-%' AND application_name <> 'ordinal-scripts'
    ORDER BY application_name`
  await untilSo(async () => (await sql.rows(look)).length === 0, { what: "The end of the server's sessions" })
}

/** Makes a new, empty database on the server of this URL. */
export const freshDatabase = async (serverUrl: string) => {
  const { drop, url } = await Effect.runPromise(create(serverUrl))
  return { url, drop: () => Effect.runPromise(drop) }
}

export interface StoredEvent {
  readonly position: number
  readonly stream: string
  readonly version: number
  readonly eventId: string
  readonly type: string
  readonly commandId: string
}

export const storedEvents = (sql: Sql) =>
  sql.rows<StoredEvent>(`
    SELECT "position"::float8 AS position, stream_id AS stream, version, event_id::text AS "eventId", type,
      metadata->>'commandId' AS "commandId"
    FROM ordinal.events ORDER BY "position"`)

/** Lists the faults of the log as a whole: gaps in positions or versions, ids that are there twice. */
export const logFaults = (events: ReadonlyArray<StoredEvent>): ReadonlyArray<string> => {
  const faults: Array<string> = []
  const versions = new Map<string, number>()
  const ids = new Set<string>()
  events.forEach(({ eventId, position, stream, version }, index) => {
    const previous = versions.get(stream) ?? 0
    if (position !== index + 1) faults.push(`position ${position} stands where ${index + 1} should`)
    if (version !== previous + 1) faults.push(`${stream}: version ${version} follows ${previous}`)
    if (ids.has(eventId)) faults.push(`event ${eventId} is there twice`)
    versions.set(stream, version)
    ids.add(eventId)
  })
  return faults
}
