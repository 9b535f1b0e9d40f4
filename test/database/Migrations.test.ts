import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Database } from "../../src/database/Database.ts"
import * as Migrations from "../../src/database/Migrations.ts"
import { freshDatabase } from "../support/freshDatabase.ts"

const migrateOnce = (url: string) =>
  Migrations.run.pipe(Effect.provide(Database.layer({ url: Redacted.make(url) })), Effect.scoped)

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

  it.live("keep everything in the schema ordinal", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.gen(function* () {
        yield* Migrations.run
        const { reads: sql } = yield* Database
        const elsewhere = yield* sql`SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname NOT IN ('ordinal', 'pg_catalog', 'information_schema', 'pg_toast')`
        assert.deepStrictEqual(elsewhere, [])
      }).pipe(Effect.provide(Database.layer({ url: Redacted.make(url) })))
    })
  )
})
