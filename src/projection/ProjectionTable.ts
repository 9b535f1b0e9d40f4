/**
 * The table of a projection, and the second one of the same shape that a rebuild fills and puts in its place.
 *
 * **Gotchas**: taking its place is a drop and a rename. Views and foreign keys that point to the table block a rebuild,
 * and privileges granted on it are gone after one: grant by `ALTER DEFAULT PRIVILEGES`. Back it up together with the
 * schema of the log, which says how far it is.
 */
import { Effect } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import type { ProjectionTables, Slot } from "./Projection.ts"

export interface Definition {
  /**
   * The table has this name with its schema, which must exist: `public.top_products`. The schema `ordinal` stands for that
   * of the log, whatever its name.
   */
  readonly name: string
  /**
   * This stands between the parentheses of CREATE TABLE. Constraints must have no names, since there may be two tables.
   */
  readonly columns: string
  /**
   * The table has these columns besides, with their types, since a later version than its first. They may be empty: a
   * table that an older version made gets them when a program of this version finds it.
   */
  readonly added?: Readonly<Record<string, string>>
  /** The table gets these indexes besides, each by a name of its own: `{ by_day: "(day, sold)" }`. */
  readonly indexes?: Readonly<Record<string, string>>
  /** This statement about the table of this name is run when it is made, or found empty before its first event. */
  readonly made?: (name: string) => string
  /** The table gets these storage parameters, as `fillfactor = 80`. */
  readonly storage?: string
}

export interface ProjectionTable extends ProjectionTables {
  /** Gives the table of this slot, to be put into a statement. */
  in(sql: SqlClient.SqlClient, slot: Slot): Statement.Fragment
}

const exists = (sql: SqlClient.SqlClient, name: string) =>
  sql<{ readonly exists: boolean }>`SELECT to_regclass('${sql.literal(name)}') IS NOT NULL AS exists`.pipe(
    Effect.map(([row]) => row?.exists === true)
  )

const qualified = /^([a-z_][a-z0-9_]*)\.([a-z_][a-z0-9_]*)$/
/** PostgreSQL cuts longer names off, so that two of them may become one. */
const longestName = 63

export const make = ({ added = {}, columns, indexes = {}, made, name, storage }: Definition): ProjectionTable => {
  const [, schema, live] = qualified.exec(name) ?? []
  if (schema === undefined || live === undefined) {
    throw new TypeError(`The table "${name}" must be named as <schema>.<table>, in lower case.`)
  }
  if (/\bconstraint\b/i.test(columns)) {
    throw new TypeError(`The columns of the table "${name}" name a constraint; leave its name out.`)
  }
  const tables = { live, shadow: `${live}_shadow` }
  const tooLong = ["pkey", ...Object.keys(indexes)]
    .map((index) => `${tables.shadow}_${index}`)
    .find((index) => index.length > longestName)
  if (tooLong !== undefined) {
    throw new TypeError(
      `The name of the index "${tooLong}" is longer than ${longestName} characters; choose a shorter one.`
    )
  }

  const nameOf = (slot: Slot) => `${schema}.${tables[slot]}`

  const create = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, slot: Slot) {
    if (!(yield* exists(sql, nameOf(slot)))) {
      const parameters = storage === undefined ? "" : ` WITH (${storage})`
      const all = [columns, ...Object.entries(added).map(([column, type]) => `${column} ${type}`)].join(", ")
      yield* sql.unsafe(`CREATE TABLE ${nameOf(slot)} (${all})${parameters}`)
      for (const [index, on] of Object.entries(indexes)) {
        yield* sql.unsafe(`CREATE INDEX ${tables[slot]}_${index} ON ${nameOf(slot)} ${on}`)
      }
    }
    if (made !== undefined) yield* sql.unsafe(made(nameOf(slot)))
  })

  /** This is longer than the server takes to stop a vacuum of the table (1 s), and shorter than readers may wait. */
  const waitBriefly = (sql: SqlClient.SqlClient) => sql`SELECT set_config('lock_timeout', '1500ms', true)`

  const complete = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
    const missing = yield* sql<{ readonly column: string }>`
      SELECT added AS column FROM unnest(${Object.keys(added)}::text[]) AS added WHERE NOT EXISTS (
        SELECT FROM pg_attribute WHERE attrelid = to_regclass('${sql.literal(nameOf("live"))}') AND attname = added
      )`
    if (missing.length === 0) return
    const columns = missing.map(({ column }) => `ADD COLUMN IF NOT EXISTS ${column} ${added[column]}`).join(", ")
    // Nothing else is locked, so nobody who waits for this one is waited for.
    yield* Effect.andThen(waitBriefly(sql), sql.unsafe(`ALTER TABLE IF EXISTS ${nameOf("live")} ${columns}`)).pipe(
      sql.withTransaction
    )
  })

  /** Readers wait for the lock only while the table is renamed, and then read the new table. */
  const swap = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
    yield* waitBriefly(sql)
    yield* sql.unsafe(`DROP TABLE IF EXISTS ${nameOf("live")}`)
    yield* sql.unsafe(`ALTER TABLE ${nameOf("shadow")} RENAME TO ${tables.live}`)
    for (const index of ["pkey", ...Object.keys(indexes)]) {
      yield* sql.unsafe(`ALTER INDEX IF EXISTS ${schema}.${tables.shadow}_${index} RENAME TO ${tables.live}_${index}`)
    }
  })

  return {
    names: [nameOf("live"), nameOf("shadow")],
    create,
    isEmpty: (sql) =>
      sql<{ readonly isEmpty: boolean }>`
        SELECT NOT EXISTS (SELECT FROM ${sql.literal(nameOf("live"))}) AS "isEmpty"`.pipe(
        Effect.map(([row]) => row?.isEmpty === true)
      ),
    complete,
    drop: (sql) => sql.unsafe(`DROP TABLE IF EXISTS ${nameOf("shadow")}`),
    swap,
    in: (sql, slot) => sql.literal(nameOf(slot))
  }
}
