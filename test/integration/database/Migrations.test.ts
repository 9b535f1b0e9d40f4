import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Database } from "../../../src/database/Database.ts"
import * as Migrations from "../../../src/database/Migrations.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"

const migrateOnce = (url: string) =>
  Migrations.run.pipe(Effect.provide(Database.layer({ ...patientConnections, url: Redacted.make(url) })), Effect.scoped)

describe("Migrations", () => {
  it.live("are applied once when four processes start at the same time", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const applied = yield* Effect.all(
        Array.from({ length: 4 }, () => migrateOnce(url)),
        { concurrency: "unbounded" }
      )
      const [first, ...others] = applied.toSorted((a, b) => b.length - a.length)
      assert.isAbove(first?.length ?? 0, 0)
      assert.deepStrictEqual(others, [[], [], []])
      assert.deepStrictEqual(yield* migrateOnce(url), [])
    })
  )

  it.live("mark rebuilds as replaced whose problem says so, once", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.gen(function* () {
        yield* Migrations.run
        const { reads: sql } = yield* Database
        const rebuilds = sql<{ readonly version: number; readonly state: string }>`
          SELECT version, state FROM ordinal.rebuilds ORDER BY version`
        yield* sql`ALTER TABLE ordinal.rebuilds DROP CONSTRAINT rebuilds_state_check`
        yield* sql`ALTER TABLE ordinal.rebuilds ADD CHECK (state <> 'replaced')`
        yield* sql`DELETE FROM ordinal.migrations WHERE migration_id = 6`
        yield* sql`
          INSERT INTO ordinal.rebuilds (projection, version, state, problem, target, started_at)
          SELECT 'order-view', version, state, problem, 0, clock_timestamp()
          FROM (VALUES
            (1, 'aborted', 'replaced by a rebuild of version 2'),
            (2, 'aborted', 'the fold failed'),
            (3, 'aborted', NULL),
            (4, 'completed', NULL),
            (5, 'running', NULL)
          ) AS known (version, state, problem)`
        assert.deepStrictEqual(yield* Migrations.run, [[6, "replaced_rebuilds"]])
        const states = (yield* rebuilds).map(({ state }) => state)
        assert.deepStrictEqual(states, ["replaced", "aborted", "aborted", "completed", "running"])
      }).pipe(Effect.provide(Database.layer({ ...patientConnections, url: Redacted.make(url) })))
    })
  )

  it.live("create everything in the schema ordinal", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.gen(function* () {
        yield* Migrations.run
        const { reads: sql } = yield* Database
        const elsewhere = yield* sql`SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname NOT IN ('ordinal', 'pg_catalog', 'information_schema', 'pg_toast')`
        assert.deepStrictEqual(elsewhere, [])
      }).pipe(Effect.provide(Database.layer({ ...patientConnections, url: Redacted.make(url) })))
    })
  )
})
