/**
 * Keeps the tables of views in the schema that the options name for them: `place` moves them there once the migrations have
 * made them, and `handOver` gives them to the schema's owner, who may then rebuild them without a right to anything else.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { DatabaseNotOpened } from "./DatabaseErrors.ts"
import { schemaOf, undivided, viewsSchemaOf } from "./SchemaName.ts"

interface Table {
  readonly table: string
}

/** Lists the tables of views that are still where all others are. */
export const misplaced = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  if (viewsSchemaOf(sql) === schemaOf(sql)) return []
  const tables = yield* undivided(
    sql
  )<Table>`SELECT tablename AS "table" FROM pg_tables WHERE schemaname = ${schemaOf(sql)}
    AND tablename IN ('order_view', 'order_view_shadow', 'catalog_view', 'catalog_view_shadow') ORDER BY tablename`
  return tables.map(({ table }) => table)
})

/** Moves them, and makes their schema if it is not there. Whoever reads them waits for the lock of each, but no longer. */
export const place = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const whole = undivided(sql)
  const [from, to] = [schemaOf(sql), viewsSchemaOf(sql)]
  if (from === to) return []
  const [exists] = yield* whole`SELECT FROM pg_namespace WHERE nspname = ${to}`
  if (exists === undefined) yield* whole`CREATE SCHEMA ${whole(to)}`
  const tables = yield* misplaced(sql)
  for (const table of tables) yield* whole`ALTER TABLE ${whole(from)}.${whole(table)} SET SCHEMA ${whole(to)}`
  return tables
})

export const handOver = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const to = viewsSchemaOf(sql)
  if (to === schemaOf(sql)) return
  const tables = yield* sql<Table & { readonly owner: string }>`
    SELECT c.relname AS "table", pg_get_userbyid(n.nspowner) AS owner
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ${to} AND c.relkind = 'r' AND c.relowner <> n.nspowner ORDER BY c.relname`
  for (const { owner, table } of tables) yield* sql`ALTER TABLE ${sql(to)}.${sql(table)} OWNER TO ${sql(owner)}`
})

/** Fails if a program with other settings has put the tables of views elsewhere. */
export const check = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const [found] = yield* sql<{ readonly elsewhere: string }>`SELECT schemaname AS elsewhere FROM pg_tables
    WHERE tablename = 'order_view' AND to_regclass('ordinal.order_view') IS NULL
    ORDER BY schemaname <> ${schemaOf(sql)}, schemaname LIMIT 1`
  if (found === undefined) return
  return yield* new DatabaseNotOpened({
    reason: "Schema",
    problem:
      `The tables of views are not in schema ${viewsSchemaOf(sql)}, but seem to be in ${found.elsewhere}. Give all servers the ` +
      "same DATABASE_VIEWS_SCHEMA; to move the tables, run `ordinal migrate` with it, with the DATABASE_URL of the schema's owner."
  })
})
