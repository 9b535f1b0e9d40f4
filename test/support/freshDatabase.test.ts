import { PgClient } from "@effect/sql-pg"
import { assert, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"
import { freshDatabase } from "./freshDatabase.ts"

it.live("gives each caller an empty PostgreSQL database of its own", () =>
  Effect.gen(function* () {
    const urls = yield* Effect.all([freshDatabase, freshDatabase], { concurrency: 2 })
    assert.notStrictEqual(urls[0], urls[1])
    for (const url of urls) {
      const sql = yield* PgClient.makeClient({ url: Redacted.make(url) })
      yield* sql`CREATE TABLE here (it int)`
    }
  }).pipe(Effect.provide(Reactivity.layer))
)
