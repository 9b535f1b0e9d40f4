/** Looks at the PostgreSQL server when a process starts: refuses what can't keep this program's promises, warns of the rest. */
import { Duration, Effect, Predicate } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"
import type { Database } from "./Database.ts"
import { DatabaseNotOpened } from "./DatabaseErrors.ts"
import { messageOf } from "./SqlFailure.ts"

const pooler = (problem: string, cause?: unknown) =>
  new DatabaseNotOpened({
    reason: "Pooler",
    problem: `${problem}; see "Behind pgbouncer" in docs/operating.md.`,
    ...(cause === undefined ? {} : { cause })
  })

/** Runs a statement without preparing it, which works whatever stands between. */
const run = <Row extends object>(connection: Connection, statement: string, ...parameters: ReadonlyArray<unknown>) =>
  connection.executeUnprepared(statement, parameters, undefined) as Effect.Effect<ReadonlyArray<Row>, SqlError>

const backend = (connection: Connection) =>
  Effect.map(run<{ readonly pid: number }>(connection, "SELECT pg_backend_pid() AS pid"), ([row]) => row?.pid)

/**
 * Tells whether `connection` keeps its session while `other` begins a transaction. A pooler in transaction mode gives
 * `other` the session that is free. Somebody else may come first and hide that, so this is tried a few times.
 */
const isSession = Effect.fnUntraced(function* (connection: Connection, other: Connection) {
  const pid = yield* backend(connection)
  for (let round = 0; round < 5; round++) {
    yield* run(other, "BEGIN")
    const now = yield* backend(connection)
    yield* run(other, "ROLLBACK")
    if (now !== pid) return false
  }
  return true
})

/**
 * Returns those of the settings that don't hold in the session; PostgreSQL itself compares "5000ms" with "5s". Settings
 * that can't change after the session's begin can't be compared in this way and are left out.
 */
const lostSettings = (connection: Connection, settings: Readonly<Record<string, string>>) =>
  run<{ readonly name: string }>(
    connection,
    `SELECT key AS name FROM jsonb_each_text($1::text::jsonb)
     WHERE CASE WHEN (SELECT context FROM pg_settings WHERE name = key) LIKE '%backend' THEN false
       ELSE current_setting(key, true) IS DISTINCT FROM set_config(key, value, true) END
     ORDER BY key`,
    JSON.stringify(settings)
  )

/** Fails if a connection pooler stands before PostgreSQL and takes away a session, or the settings that it must have. */
export const sessions = Effect.fnUntraced(
  function* ({ kind, projections, reads, sessionSettings }: Database["Service"]) {
    if (kind === "pglite") return
    const connections = [yield* reads.reserve, yield* projections.reserve] as const
    if (!(yield* isSession(...connections))) {
      return yield* pooler(
        "A connection pooler before the database gives each transaction another session, but listening, locks and " +
          "prepared statements need one that stays. Set its pool mode to session, or connect without it"
      )
    }
    for (const connection of connections) {
      const lost = yield* lostSettings(connection, sessionSettings)
      if (lost.length === 0) continue
      const settings = lost.map(({ name }) => `${name} = '${sessionSettings[name]}'`).join(", ")
      return yield* pooler(
        `A connection pooler before the database drops settings of the session. Give them to the role by ALTER ROLE … SET: ${settings}`
      )
    }
  },
  Effect.scoped,
  Effect.catchTag("SqlError", (error) =>
    Effect.fail(
      messageOf(error).startsWith("unsupported startup parameter")
        ? pooler(
            `A connection pooler before the database refuses settings of the session (${messageOf(error)}). In session ` +
              "mode it may ignore them, if the role has them",
            error
          )
        : error
    )
  )
)

/** Fails if the host's client reads values of PostgreSQL as other ones than this program does. */
export const types = Effect.fnUntraced(function* ({ host, reads }: Database["Service"]) {
  if (host === undefined) return
  const [row] = yield* reads<Readonly<Record<string, unknown>>>`SELECT 1::bigint AS bigint, 1::integer AS integer,
    1::float8 AS float8, now() AS timestamptz, '[1]'::jsonb AS jsonb, gen_random_uuid() AS uuid, '{1}'::integer[] AS array`
  const isRead: Readonly<Record<string, (value: unknown) => boolean>> = {
    bigint: Predicate.isBigInt,
    integer: Predicate.isNumber,
    float8: Predicate.isNumber,
    timestamptz: Predicate.isDate,
    jsonb: Array.isArray,
    uuid: Predicate.isString,
    array: Array.isArray
  }
  const others = Object.keys(isRead).filter((type) => !isRead[type]!(row?.[type]))
  if (others.length === 0) return
  return yield* new DatabaseNotOpened({
    reason: "Types",
    problem:
      `The given PgClient reads ${others.join(", ")} by types of its own (its option \`types\`), but the values of the ` +
      "default are needed. Give another PgClient without them."
  })
})

/** Fails unless the database holds any text: in another encoding than UTF8 a customer's name may be refused. */
export const encoding = Effect.fnUntraced(function* (sql: SqlClient) {
  const [row] = yield* sql<{ readonly encoding: string }>`SELECT current_setting('server_encoding') AS encoding`
  if (row?.encoding === "UTF8") return
  return yield* new DatabaseNotOpened({
    reason: "Encoding",
    problem:
      `The database's encoding is ${row?.encoding}, which can't hold all text. Make a database for the server with ` +
      "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0."
  })
})

/**
 * Returns by how much the log's newest event was recorded ahead of the database's clock, if by more than a minute, because that
 * clock was wrong then or is wrong now. Times never go back in the log, so each new event gets that time too.
 */
export const secondsAhead = Effect.fnUntraced(function* (sql: SqlClient) {
  const [row] = yield* sql<{ readonly seconds: number }>`
    SELECT extract(epoch FROM recorded_at - clock_timestamp())::float8 AS seconds FROM ordinal.log_head
    WHERE singleton AND recorded_at > clock_timestamp() + interval '1 minute'`
  return row?.seconds
})

/** Warns of such an event. */
export const clock = Effect.fnUntraced(function* (sql: SqlClient) {
  const seconds = yield* secondsAhead(sql)
  if (seconds === undefined) return
  yield* Effect.logWarning(
    `The newest event was recorded ${Duration.format(Duration.seconds(Math.round(seconds)))} ahead of the database's ` +
      "clock. New events get that time until the clock has reached it; compare the clock with a right one."
  )
})
