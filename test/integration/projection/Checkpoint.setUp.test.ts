import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Redacted } from "effect"
import { Database } from "../../../src/database/Database.ts"
import type { Projection } from "../../../src/projection/Projection.ts"
import * as Checkpoint from "../../../src/projection/Checkpoint.ts"
import * as ProjectionTable from "../../../src/projection/ProjectionTable.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { readerLayer } from "../../../harness/views/ViewLayer.ts"
import { idleInTransaction, patientConnections } from "../../../harness/clocks/Patience.ts"

/** One waits for the other for as long as this test takes. */
const sessionSettings = { ...idleInTransaction, lock_timeout: "0" }

const table = ProjectionTable.make({ name: "public.seen", columns: "stream_id text PRIMARY KEY" })

it.live("two processes that start at once make a projection's table and checkpoint once", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const isMaking = yield* Deferred.make<void>()
    const isOpen = yield* Deferred.make<void>()
    let made = 0
    const projection: Projection = {
      name: "seen",
      version: 1,
      partition: "stream",
      categories: ["order"],
      handle: () => Effect.void,
      tables: {
        ...table,
        create: (sql, slot) =>
          Effect.suspend(() => {
            made++
            return Deferred.succeed(isMaking, undefined)
          }).pipe(Effect.andThen(Deferred.await(isOpen)), Effect.andThen(table.create(sql, slot)))
      }
    }
    const setUp = Effect.flatMap(Database, ({ projections }) => Checkpoint.setUp(projections, projection))
    yield* Effect.gen(function* () {
      const { reads: sql } = yield* Database
      const other = Database.layer({ ...patientConnections, url: Redacted.make(url), sessionSettings })
      const first = yield* Effect.forkChild(setUp)
      yield* Deferred.await(isMaking)
      const second = yield* Effect.forkChild(Effect.provide(setUp, other))
      const waiting = sql`SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND NOT granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
      yield* waiting.pipe(Effect.delay("10 millis"), Effect.repeat({ until: (rows) => rows.length > 0 || made > 1 }))
      yield* Deferred.succeed(isOpen, undefined)
      yield* Fiber.join(first)
      yield* Fiber.join(second)
      assert.strictEqual(made, 1)
      assert.deepStrictEqual(yield* sql`SELECT version, "position" FROM ordinal.checkpoints ORDER BY projection`, [
        { version: 1, position: 0n }
      ])
      assert.deepStrictEqual(yield* sql`SELECT stream_id FROM public.seen ORDER BY stream_id`, [])
    }).pipe(Effect.provide(readerLayer(url, { sessionSettings })))
  })
)
