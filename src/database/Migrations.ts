/**
 * Brings the database's schema up to date, or refuses a schema that this program does not know.
 *
 * Many processes may start at once: each looks first, and one that finds work migrates in one transaction under an
 * advisory lock, so the others wait and then find nothing left to do. Looking needs no right but to read, so a role
 * without the owner's rights can start once nothing is left to do. A migration that has shipped is never edited; a new
 * one is added to `migrations/`, named `<number>_<name>`, and must leave processes from `compatibleFrom` on working.
 */
import { Effect, Layer } from "effect"
import { Migrator, SqlClient } from "effect/sql"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import type { MigrationError } from "effect/sql/Migrator"
import { causeText } from "./CauseText.ts"
import { Database } from "./Database.ts"
import { DatabaseNotOpened } from "./DatabaseErrors.ts"
import { log } from "./migrations/0001_log.ts"
import { orderView } from "./migrations/0002_order_view.ts"
import { snapshots } from "./migrations/0003_snapshots.ts"
import { projections } from "./migrations/0004_projections.ts"
import { orderViewChanges } from "./migrations/0005_order_view_changes.ts"
import { replacedRebuilds } from "./migrations/0006_replaced_rebuilds.ts"
import { compatibility } from "./migrations/0007_compatibility.ts"
import { orderPolicies } from "./migrations/0008_order_policies.ts"
import { checkpointEvents } from "./migrations/0009_checkpoint_events.ts"
import { appendBatch } from "./migrations/0010_append_batch.ts"
import { orderDocuments } from "./migrations/0011_order_documents.ts"
import { orderCounts } from "./migrations/0012_order_counts.ts"
import { keptCommands } from "./migrations/0013_kept_commands.ts"
import { webhooks } from "./migrations/0014_webhooks.ts"
import { apiKeys } from "./migrations/0015_api_keys.ts"
import { changesByFunction } from "./migrations/0016_changes_by_function.ts"
import { defaultSchema, schemaOf, undivided, viewsSchemaOf } from "./SchemaName.ts"
import * as ServerChecks from "./ServerChecks.ts"
import { blame, sqlState } from "./SqlFailure.ts"
import * as ViewsSchema from "./ViewsSchema.ts"

const migrations = {
  "0001_log": log,
  "0002_order_view": orderView,
  "0003_snapshots": snapshots,
  "0004_projections": projections,
  "0005_order_view_changes": orderViewChanges,
  "0006_replaced_rebuilds": replacedRebuilds,
  "0007_compatibility": compatibility,
  "0008_order_policies": orderPolicies,
  "0009_checkpoint_events": checkpointEvents,
  "0010_append_batch": appendBatch,
  "0011_order_documents": orderDocuments,
  "0012_order_counts": orderCounts,
  "0013_kept_commands": keptCommands,
  "0014_webhooks": webhooks,
  "0015_api_keys": apiKeys,
  "0016_changes_by_function": changesByFunction
}

/** Programs that know the migrations up to this one still work when all of the above are applied. */
const compatibleFrom = 7

/** This number is arbitrary, but the same in every version of this program. Another schema has a lock of its own. */
export const lockKey = 7_305_421_890n

const lock = (sql: SqlClient.SqlClient) =>
  schemaOf(sql) === defaultSchema
    ? sql`SELECT pg_advisory_xact_lock(${lockKey})`
    : sql`SELECT pg_advisory_xact_lock(hashtextextended(${`${schemaOf(sql)} migrations`}, 0))`

const known = new Map(Object.keys(migrations).map((key) => [Number(key.slice(0, 4)), key.slice(5)]))
const latest = Math.max(...known.keys())

const refused = (problem: string, cause?: unknown) =>
  new DatabaseNotOpened({ reason: "Schema", problem, ...(cause === undefined ? {} : { cause }) })

interface Applied {
  readonly id: number
  readonly name: string
  readonly compatibleFrom: number | null
}

type Pair = readonly [id: number, name: string]

const pairOf = ({ id, name }: Applied): Pair => [id, name]

const named = (those: ReadonlyArray<Pair>) =>
  `migration${those.length > 1 ? "s" : ""} ${those.map(([id, name]) => `${id} (${name})`).join(", ")}`

/** Says why this program must not work on a schema with these migrations; undefined if it may. */
const refusal = (applied: ReadonlyArray<Applied>): string | undefined => {
  const ids = new Set(applied.map(({ id }) => id))
  const newest = Math.max(0, ...ids)
  const missing = [...known].filter(([id]) => id < newest && !ids.has(id))
  if (missing.length > 0) {
    return (
      `The database's schema lacks ${named(missing)}, although later migrations were applied. ` +
      "Restore it from a backup, or give the server a database of its own."
    )
  }
  const others = applied.filter(({ id, name }) => (known.get(id) ?? name) !== name)
  if (others.length > 0) {
    return `The database's schema was made by another program: it has ${named(others.map(pairOf))}. Start that program.`
  }
  const newer = applied.filter(({ compatibleFrom, id }) => id > latest && (compatibleFrom ?? id) > latest)
  if (newer.length === 0) return undefined
  return (
    `The database's schema is newer than this program, which knows migrations up to ${latest}: it has ` +
    `${named(newer.map(pairOf))}. Start a newer program, or restore a backup from before that migration.`
  )
}

/** Lists the migrations that are left to do; fails if this program must not work on the schema. It only reads. */
export const pending = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  const [table] = yield* sql`SELECT 1 FROM pg_tables WHERE schemaname = ${schemaOf(sql)} AND tablename = 'migrations'`
  if (table === undefined) return [...known]
  // The column is not there before it is added by a migration.
  const applied = yield* sql<Applied>`
    SELECT migration_id AS id, name, (to_jsonb(m) ->> 'compatible_from')::integer AS "compatibleFrom"
    FROM ordinal.migrations AS m ORDER BY migration_id`
  const problem = refusal(applied)
  if (problem !== undefined) return yield* refused(problem)
  return [...known].filter(([id]) => applied.every((one) => one.id !== id))
})

const applyAll = (schema: string) =>
  Migrator.make({})({ loader: Migrator.fromRecord(migrations), table: `${schema}.migrations` })

/** Lifts the limits of time: another process may migrate first, and a migration may take long. */
const withoutLimits = <A, E>(sql: SqlClient.SqlClient, work: Effect.Effect<A, E, SqlClient.SqlClient>) => {
  const limits = sql`SELECT
    set_config('statement_timeout', '0', true),
    set_config('lock_timeout', '0', true),
    set_config('idle_in_transaction_session_timeout', '0', true)`
  return sql.withTransaction(Effect.andThen(limits, work)).pipe(Effect.provideService(SqlClient.SqlClient, sql))
}

const migrate = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* lock(sql)
  if ((yield* pending).length === 0) return []
  yield* sql`CREATE SCHEMA IF NOT EXISTS ${sql(schemaOf(sql))}`
  const applied = yield* applyAll(schemaOf(sql))
  yield* sql`UPDATE ordinal.migrations SET compatible_from = ${compatibleFrom}
    WHERE migration_id = ANY(${applied.map(([id]) => id)}::integer[])`
  return applied
})

const insufficientPrivilege = "42501"

const explain = (error: SqlError, left: ReadonlyArray<Pair>): SqlError | DatabaseNotOpened => {
  if (sqlState(error) === insufficientPrivilege) {
    const problem =
      left.length === 0
        ? `This role may not read the database's schema (${causeText(error)}). Grant it what docs/operating.md lists.`
        : `The database needs ${named(left)}, which this role may not apply (${causeText(error)}). ` +
          "First run `ordinal migrate` with the DATABASE_URL of the schema's owner."
    return refused(problem, error)
  }
  if (blame(error) === "passing") return error
  return refused(`The database's schema can't be brought up to date: ${causeText(error)}.`, error)
}

const explainMove = (error: SqlError, sql: SqlClient.SqlClient): SqlError | DatabaseNotOpened =>
  blame(error) === "passing"
    ? error
    : refused(
        `The tables of views can't be moved to schema ${viewsSchemaOf(sql)} (${causeText(error)}). Run \`ordinal migrate\` ` +
          "with the DATABASE_URL of the schema's owner.",
        error
      )

const explainMigration = (error: MigrationError, left: ReadonlyArray<Pair>) =>
  isSqlError(error.cause) && (blame(error.cause) === "passing" || sqlState(error.cause) === insufficientPrivilege)
    ? explain(error.cause, left)
    : refused(`${error.message}: ${causeText(error)}.`, error)

/** Lists what is left to do, for which it takes no lock but those of readers: migrations, and tables of views to be moved. */
export const plan = Effect.gen(function* () {
  const database = yield* Database
  const sql = undivided(database.projections)
  yield* ServerChecks.sessions(database)
  yield* ServerChecks.types(database)
  yield* ServerChecks.encoding(sql)
  return yield* withoutLimits(sql, Effect.all([pending, ViewsSchema.misplaced(database.projections)])).pipe(
    Effect.catchTag("SqlError", (error) => Effect.fail(explain(error, [])))
  )
})

/** Applies the migrations that are missing, and returns them. */
export const run = Effect.gen(function* () {
  const { projections } = yield* Database
  const sql = undivided(projections)
  const [left, tables] = yield* plan
  const placed = Effect.andThen(lock(sql), ViewsSchema.place(projections))
  if (left.length + tables.length === 0) return []
  const applied =
    left.length === 0
      ? []
      : yield* withoutLimits(sql, migrate).pipe(
          Effect.catchTags({
            MigrationError: (error) => Effect.fail(explainMigration(error, left)),
            SqlError: (error) => Effect.fail(explain(error, left))
          })
        )
  yield* withoutLimits(sql, placed).pipe(
    Effect.catchTag("SqlError", (error) => Effect.fail(explainMove(error, projections)))
  )
  return applied
})

export const layer = Layer.effectDiscard(
  Effect.andThen(
    run,
    Effect.flatMap(Database, ({ projections }) =>
      Effect.andThen(ViewsSchema.check(projections), ServerChecks.clock(projections))
    )
  )
)
