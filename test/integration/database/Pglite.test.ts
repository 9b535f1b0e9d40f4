import { assert, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Database } from "../../../src/database/Database.ts"

it.live("PGlite's own cache is small, for it is memory of this process", () =>
  Effect.gen(function* () {
    const { reads: sql } = yield* Database
    const [row] = yield* sql<{ readonly size: string }>`SELECT current_setting('shared_buffers') AS size`
    assert.strictEqual(row?.size, "32MB")
  }).pipe(Effect.provide(Database.layer({ url: Redacted.make("pglite:memory") })))
)

it.live("nothing of PGlite's answers is kept", () =>
  Effect.gen(function* () {
    const { reads: sql } = yield* Database
    setFlagsFromString("--expose-gc")
    const gc: () => void = runInNewContext("gc")
    const mebibytes = Effect.sync(() => {
      gc()
      return process.memoryUsage().heapUsed / 1024 ** 2
    })
    const ask = sql`SELECT repeat(md5(n::text), 32) AS text FROM generate_series(1, 1000) n`
    yield* ask
    const before = yield* mebibytes
    for (let answers = 0; answers < 64; answers++) yield* ask
    // Each of them has a thousand rows, which are a mebibyte.
    assert.isBelow((yield* mebibytes) - before, 16)
  }).pipe(Effect.provide(Database.layer({ url: Redacted.make("pglite:memory") })))
)
