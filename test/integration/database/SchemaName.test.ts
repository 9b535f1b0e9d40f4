import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Redacted } from "effect"
import { Database } from "../../../src/database/Database.ts"
import * as Migrations from "../../../src/database/Migrations.ts"
import { connect } from "../../../harness/servers/FreshDatabase.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"

const migrate = (url: string, schema: string) =>
  Migrations.run.pipe(
    Effect.provide(Layer.fresh(Database.layer({ ...patientConnections, schema, url: Redacted.make(url) }))),
    Effect.scoped
  )

describe("a schema's name", () => {
  const refused = ["", "Shop", "1st", "a-b", 'a"b', "public", "information_schema", "pg_shop", "x".repeat(41)]
  it.live.each(refused)("is refused with a sentence: %s", (schema) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(migrate("pglite:memory", schema))
      assert.strictEqual(
        error.message,
        `The name of the schema is "${schema}" but must be a name of at most 40 lower-case letters, digits and _, not public, ` +
          "information_schema or pg_…, and no digit first."
      )
    })
  )

  it.live("stands for ordinal in all that is made, bodies of functions included, and in nothing else", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const schemas = ["ordinal", "order", "a".repeat(40)]
      yield* migrate(url, "ordinal")
      yield* Effect.forEach(schemas, (schema) => migrate(url, schema), { concurrency: "unbounded" })
      const sql = yield* connect(url)
      /** All that a schema holds, with `ordinal` for its name. */
      const held = Effect.fnUntraced(function* (schema: string) {
        const rows = yield* sql<{ readonly text: string }>`
          SELECT relkind::text || ' ' || relname || ' ' || coalesce((
            SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ',' ORDER BY attnum)
            FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0), '') AS text
          FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = ${schema} AND relkind IN ('r', 'i')
          UNION ALL
          SELECT pg_get_functiondef(p.oid)
          FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE nspname = ${schema}
          UNION ALL
          SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t
          JOIN pg_class c ON c.oid = tgrelid JOIN pg_namespace n ON n.oid = relnamespace
          WHERE nspname = ${schema} AND NOT tgisinternal
          UNION ALL
          SELECT relname || ' ' || conname || ' ' || pg_get_constraintdef(o.oid) FROM pg_constraint o
          JOIN pg_class c ON c.oid = conrelid JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = ${schema}
          ORDER BY text`
        return rows.map(({ text }) => text.replaceAll(new RegExp(`"?\\b${schema}\\b"?\\.`, "g"), "ordinal."))
      })
      const [first, ...others] = yield* Effect.forEach(schemas, held)
      assert.isAbove(first!.length, 30)
      for (const other of others) assert.deepStrictEqual(other, first)
      const elsewhere = yield* sql`SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname NOT LIKE ALL (${[...schemas, "pg\\_%", "information_schema"]}::text[])`
      assert.deepStrictEqual(elsewhere, [])
    })
  )

  it.live("names the lock of its migrations: those of another schema do not wait for it", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const sql = yield* connect(url)
      yield* sql`SELECT pg_advisory_lock(${Migrations.lockKey})`
      assert.isAbove((yield* migrate(url, "shop")).length, 0)
      const waiting = yield* Effect.forkChild(migrate(url, "ordinal"))
      const other = yield* connect(url)
      yield* other`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`.pipe(
        Effect.repeat({ until: (rows) => rows.length > 0 })
      )
      assert.deepStrictEqual(yield* migrate(url, "shop"), [])
      yield* sql`SELECT pg_advisory_unlock(${Migrations.lockKey})`
      assert.isAbove((yield* Fiber.join(waiting)).length, 0)
    })
  )

  it.live("leaves the tables of views to another schema, if that is asked for, on an embedded database too", () =>
    Effect.gen(function* () {
      for (const url of [yield* freshDatabase, "pglite:memory"]) {
        const options = { ...patientConnections, schema: "order", viewsSchema: "views", url: Redacted.make(url) }
        yield* Effect.gen(function* () {
          assert.isAbove((yield* Migrations.run).length, 0)
          assert.deepStrictEqual(yield* Migrations.plan, [[], []])
          const { reads: sql } = yield* Database
          const placed = yield* sql<{ readonly name: string }>`SELECT n.nspname || '.' || relname AS name
            FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
            WHERE relname LIKE 'order_view%position' OR relname IN ('order_counts', 'order_view') ORDER BY name`
          assert.deepStrictEqual(
            placed.map(({ name }) => name),
            [
              "order.order_counts",
              ...["", "_customer_position", "_position", "_status_position"].map((end) => `views.order_view${end}`)
            ]
          )
          assert.deepStrictEqual(yield* sql`SELECT count(*) AS orders FROM ordinal.order_view`, [{ orders: 0n }])
          yield* Effect.scoped(Layer.build(Layer.fresh(Migrations.layer)))
        }).pipe(Effect.provide(Layer.fresh(Database.layer(options))))
      }
    })
  )
})
