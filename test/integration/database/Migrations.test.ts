import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { randomBytes } from "node:crypto"
import { inject } from "vitest"
import { connect, create } from "../../../harness/servers/FreshDatabase.ts"
import { Database } from "../../../src/database/Database.ts"
import { appendBatch } from "../../../src/database/migrations/0010_append_batch.ts"
import * as Migrations from "../../../src/database/Migrations.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"

const migrateOnce = (url: string) =>
  Migrations.run.pipe(Effect.provide(Database.layer({ ...patientConnections, url: Redacted.make(url) })), Effect.scoped)

const changed = (url: string, ...statements: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { reads: sql } = yield* Database
    for (const statement of statements) yield* sql.unsafe(statement)
  }).pipe(Effect.provide(Database.layer({ ...patientConnections, url: Redacted.make(url) })), Effect.scoped)

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

  it.live("are listed without waiting for whoever migrates, and without a change", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const other = yield* connect(url)
      yield* other`SELECT pg_advisory_lock(${Migrations.lockKey})`
      const planned = Migrations.plan.pipe(
        Effect.provide(Layer.fresh(Database.layer({ ...patientConnections, url: Redacted.make(url) }))),
        Effect.scoped
      )
      const [first] = yield* planned
      assert.deepStrictEqual(first[0], [1, "log"])
      assert.deepStrictEqual(yield* planned, [first, []])
      assert.deepStrictEqual(yield* other`SELECT nspname FROM pg_namespace WHERE nspname = 'ordinal'`, [])
      yield* other`SELECT pg_advisory_unlock(${Migrations.lockKey})`
      const applied = yield* migrateOnce(url)
      assert.deepStrictEqual(applied, first)
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
        yield* sql`DELETE FROM ordinal.migrations WHERE migration_id >= 6`
        yield* sql`ALTER TABLE ordinal.migrations DROP COLUMN compatible_from`
        yield* sql`DROP TABLE ordinal.order_policies`
        yield* sql`DROP FUNCTION ordinal.founding_ship_requires`
        yield* sql`DROP FUNCTION ordinal.append_batch`
        yield* sql`ALTER TABLE ordinal.checkpoints DROP COLUMN event_id, DROP COLUMN event_position`
        yield* sql`ALTER TABLE ordinal.order_view DROP COLUMN document, DROP COLUMN bytes`
        yield* sql`DROP TABLE ordinal.order_counts`
        yield* sql`DROP INDEX ordinal.commands_forgotten, ordinal.commands_kept`
        yield* sql`DROP FUNCTION ordinal.keep_command CASCADE`
        yield* sql`DROP TABLE ordinal.webhook_deliveries, ordinal.webhook_endpoints, ordinal.api_keys`
        yield* sql`DROP FUNCTION ordinal.forget_commands, ordinal.keep_snapshot`
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
        assert.deepStrictEqual((yield* Migrations.run)[0], [6, "replaced_rebuilds"])
        const states = (yield* rebuilds).map(({ state }) => state)
        assert.deepStrictEqual(states, ["replaced", "aborted", "aborted", "completed", "running"])
      }).pipe(Effect.provide(Database.layer({ ...patientConnections, url: Redacted.make(url) })))
    })
  )

  it.live("let whoever may append by the older function do so by the newer one", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* migrateOnce(url)
      const sql = yield* connect(url)
      const role = `app_${randomBytes(6).toString("hex")}`
      yield* Effect.acquireRelease(sql.unsafe(`CREATE ROLE ${role}`), () =>
        Effect.orDie(Effect.andThen(sql.unsafe(`DROP OWNED BY ${role}`), sql.unsafe(`DROP ROLE ${role}`)))
      )
      const mayAppend = sql`SELECT has_function_privilege(${role}, p.oid, 'EXECUTE') AS "mayAppend"
        FROM pg_proc AS p WHERE p.proname = 'append_batch'`
      assert.deepStrictEqual(yield* mayAppend, [{ mayAppend: false }])
      yield* sql.unsafe(`GRANT EXECUTE ON FUNCTION ordinal.append_entries TO ${role}`)
      yield* sql.unsafe("DROP FUNCTION ordinal.append_batch")
      yield* Effect.provideService(appendBatch, SqlClient.SqlClient, sql)
      assert.deepStrictEqual(yield* mayAppend, [{ mayAppend: true }])
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

  const states: ReadonlyArray<readonly [state: string, change: string, says: RegExp]> = [
    [
      "of a newer program",
      "INSERT INTO ordinal.migrations VALUES (900, now(), 'new_views', 900)",
      /newer than this program.* migration 900 \(new_views\)\. Start a newer program/
    ],
    [
      "of a newer program that does not say who may work beside it",
      "INSERT INTO ordinal.migrations VALUES (900, now(), 'new_views', NULL)",
      /newer than this program.* migration 900/
    ],
    [
      "of which a newer migration is compatible and the one after it is not",
      "INSERT INTO ordinal.migrations VALUES (900, now(), 'fine', 1), (901, now(), 'not_fine', 901)",
      /it has migration 901 \(not_fine\)/
    ],
    [
      "in which a migration is missing",
      "DELETE FROM ordinal.migrations WHERE migration_id IN (2, 4)",
      /lacks migrations 2 \(order_view\), 4 \(projections\), although later migrations were applied/
    ],
    [
      "in which the first migration is missing",
      "DELETE FROM ordinal.migrations WHERE migration_id = 1",
      /lacks migration 1 \(log\)/
    ],
    [
      "of another program",
      "UPDATE ordinal.migrations SET name = 'journal' WHERE migration_id = 1",
      /another program: it has migration 1 \(journal\)/
    ]
  ]
  it.live.each(states)("refuse a schema %s", ([, change, says]) =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* migrateOnce(url)
      yield* changed(url, change)
      const refused = yield* Effect.flip(migrateOnce(url))
      assert.strictEqual(refused._tag, "DatabaseNotOpened")
      assert.match(refused.message, says)
    })
  )

  it.live("leave a newer schema alone that is marked as compatible with this program", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* migrateOnce(url)
      yield* changed(
        url,
        "INSERT INTO ordinal.migrations SELECT 900, now(), 'new', max(migration_id) FROM ordinal.migrations"
      )
      assert.deepStrictEqual(yield* migrateOnce(url), [])
    })
  )

  it.live("say what PostgreSQL said when one of them fails", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* changed(url, "CREATE SCHEMA ordinal", "CREATE TABLE ordinal.events (id int)")
      const refused = yield* Effect.flip(migrateOnce(url))
      assert.match(refused.message, /^Migration "1_log" failed: relation "events" already exists\.$/)
    })
  )

  const encodings = ["LATIN1", "EUC_JP", "SQL_ASCII"]
  it.live.each(encodings)("refuse a database that can't hold all text: %s", (encoding) =>
    Effect.gen(function* () {
      const locale = `ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C'`
      const { url } = yield* Effect.acquireRelease(create(inject("postgresUrl"), locale), ({ drop }) => drop)
      const refused = yield* Effect.flip(migrateOnce(url))
      assert.match(refused.message, new RegExp(`encoding is ${encoding}.* ENCODING 'UTF8'`))
      yield* changed(url, "CREATE SCHEMA ordinal")
    })
  )
})
