import { assert, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Database } from "../../../src/database/Database.ts"

it.live("PGlite's own cache is small, for it is memory of this process", () =>
  Effect.gen(function* () {
    const { reads: sql } = yield* Database
    const [row] = yield* sql<{ readonly size: string }>`SELECT current_setting('shared_buffers') AS size`
    assert.strictEqual(row?.size, "32MB")
  }).pipe(Effect.provide(Database.layer({ url: Redacted.make("pglite:memory") })))
)
