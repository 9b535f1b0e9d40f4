/**
 * A database that says it is a replica and holds what was copied into it last: so a test decides when it lags, catches up, is
 * promoted or has another history. Real streaming replication is in `test/ci/replica.test.ts`.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { connect, copyOf } from "../servers/FreshDatabase.ts"

/** The name `pg_is_in_recovery` means this function in sessions that look here before they look in the catalog. */
const sayReplica = (is: boolean) =>
  `CREATE OR REPLACE FUNCTION said.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS 'SELECT ${is}'`

const tables = ["events", "log_head", "checkpoints", "order_view"]

/** Replaces the rows of a table by those of the same table elsewhere. */
const copyRows = Effect.fnUntraced(function* (from: SqlClient.SqlClient, to: SqlClient.SqlClient, table: string) {
  const [{ rows } = { rows: "[]" }] = yield* from.unsafe<{ readonly rows: string }>(
    `SELECT coalesce(jsonb_agg(to_jsonb(t)), '[]')::text AS rows FROM ordinal.${table} t`
  )
  yield* to.unsafe(`DELETE FROM ordinal.${table}`)
  yield* to.unsafe(
    `INSERT INTO ordinal.${table} SELECT * FROM jsonb_populate_recordset(NULL::ordinal.${table}, $1::jsonb)`,
    [rows]
  )
})

/** Copies a database that nobody has open. */
export const make = Effect.fnUntraced(function* (url: string) {
  const copy = yield* copyOf(url)
  const [from, to] = [yield* connect(url), yield* connect(copy)]
  yield* to.unsafe("CREATE SCHEMA said")
  yield* to.unsafe(sayReplica(true))
  yield* to.unsafe(`ALTER DATABASE ${new URL(copy).pathname.slice(1)} SET search_path = said, pg_catalog`)
  return {
    url: copy,
    sql: to,
    /** It has all that the other database has now. */
    catchUp: Effect.gen(function* () {
      yield* to`SET LOCAL session_replication_role = replica`
      yield* Effect.forEach(tables, (table) => copyRows(from, to, table))
    }).pipe(to.withTransaction),
    promote: to.unsafe(sayReplica(false)),
    /** Its last event is another one, as on a standby of a primary that was lost with its last commits. */
    loseLast: Effect.gen(function* () {
      yield* to`SET LOCAL session_replication_role = replica`
      yield* to`UPDATE ordinal.events SET event_id = gen_random_uuid()
        WHERE "position" = (SELECT "position" FROM ordinal.log_head)`
      yield* to`UPDATE ordinal.checkpoints c SET event_id = e.event_id FROM ordinal.events e WHERE e."position" = c."position"`
    }).pipe(to.withTransaction)
  }
})

export type CopiedReplica = Effect.Success<ReturnType<typeof make>>
