/**
 * Brings the database's schema, `ordinal`, up to date.
 *
 * Many processes may start at once: each migrates in one transaction under an advisory lock, so the others wait and
 * then find nothing left to do. A migration that has shipped is never edited; a new one is added to `migrations/`,
 * named `<number>_<name>`.
 */
import { Effect, Layer } from "effect"
import { Migrator, SqlClient } from "effect/sql"
import { Database } from "./Database.ts"
import { log } from "./migrations/0001_log.ts"
import { orderView } from "./migrations/0002_order_view.ts"
import { snapshots } from "./migrations/0003_snapshots.ts"
import { projections } from "./migrations/0004_projections.ts"
import { orderViewChanges } from "./migrations/0005_order_view_changes.ts"
import { replacedRebuilds } from "./migrations/0006_replaced_rebuilds.ts"

const migrations = {
  "0001_log": log,
  "0002_order_view": orderView,
  "0003_snapshots": snapshots,
  "0004_projections": projections,
  "0005_order_view_changes": orderViewChanges,
  "0006_replaced_rebuilds": replacedRebuilds
}

/** This number is arbitrary, but the same in every version of this program. */
const lockKey = 7_305_421_890n

const migrate = Migrator.make({})({ loader: Migrator.fromRecord(migrations), table: "ordinal.migrations" })

/** Applies the migrations that are missing, and returns them. */
export const run = Effect.gen(function* () {
  const { projections: sql } = yield* Database
  return yield* sql
    .withTransaction(
      Effect.gen(function* () {
        // There is no limit of time: another process may migrate first, and a migration may take long.
        yield* sql`SELECT
          set_config('statement_timeout', '0', true),
          set_config('lock_timeout', '0', true),
          set_config('idle_in_transaction_session_timeout', '0', true)`
        yield* sql`SELECT pg_advisory_xact_lock(${lockKey})`
        yield* sql`CREATE SCHEMA IF NOT EXISTS ordinal`
        return yield* migrate
      })
    )
    .pipe(Effect.provideService(SqlClient.SqlClient, sql))
})

export const layer = Layer.effectDiscard(run)
