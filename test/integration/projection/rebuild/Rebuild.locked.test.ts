import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer } from "effect"
import { Database } from "../../../../src/database/Database.ts"
import type { Projection } from "../../../../src/projection/Projection.ts"
import { Projections } from "../../../../src/projection/Projections.ts"
import { Rebuilds } from "../../../../src/projection/rebuild/Rebuilds.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { OrderViewTable } from "../../../../src/views/order/OrderViewRows.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { assertViewIsFold } from "../../../../harness/judges/OrderViewFold.ts"
import { awaitRebuild, infoWhen, name, rebuildEnds, silent, viewReaches } from "../../../../harness/views/ViewSteps.ts"
import { operatedLayer, readerLayer } from "../../../../harness/views/ViewLayer.ts"
import { idleInTransaction } from "../../../../harness/clocks/Patience.ts"

/** An order view whose swap gives up soon while the table is locked; when it was tried. */
const patient = (version = OrderViewProjection.version) => {
  const tries: Array<number> = []
  const projection: Projection = {
    ...OrderViewProjection,
    version,
    tables: {
      ...OrderViewTable,
      swap: (sql) =>
        Effect.suspend(() => {
          tries.push(performance.now())
          return sql`SET LOCAL lock_timeout = '50ms'`.pipe(
            Effect.andThen(sql`LOCK TABLE ordinal.order_view IN ACCESS EXCLUSIVE MODE`),
            Effect.andThen(OrderViewTable.swap(sql))
          )
        })
    }
  }
  return { tries, projection }
}

const layer = (url: string, projection: Projection) =>
  operatedLayer(url, projection, { pools: { append: 1, projections: 2, reads: 3 }, sessionSettings: idleInTransaction })

/** Somebody who has begun to read the table, and ends once told to. */
const longReader = Effect.gen(function* () {
  const { reads: sql } = yield* Database
  const [hasRead, isOver] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
  const reader = yield* sql`SELECT FROM ordinal.order_view`.pipe(
    Effect.andThen(Deferred.succeed(hasRead, undefined)),
    Effect.andThen(Deferred.await(isOver)),
    sql.withTransaction,
    Effect.forkScoped
  )
  yield* Deferred.await(hasRead)
  return { end: Effect.andThen(Deferred.succeed(isOver, undefined), Fiber.join(reader)) }
})

const waits = /^The table that serves is locked, .* tried again every 2 to 30 s/

describe("a rebuild", () => {
  it.live(
    "lets long readers of the old table finish, follows the log meanwhile, and keeps new ones waiting rarely",
    () =>
      Effect.gen(function* () {
        const url = yield* freshDatabase
        const { projection, tries } = patient()
        yield* Effect.gen(function* () {
          const projections = yield* Projections
          const rebuilds = yield* Rebuilds
          yield* viewReaches(yield* append(yield* orderLives(5)))
          const reader = yield* longReader
          const { id } = yield* rebuilds.start(name)
          // It says so, also while it follows the log.
          yield* awaitRebuild(id, ({ problem }) => problem !== undefined)
          for (let more = 0; more < 5; more++) {
            const head = yield* append(yield* orderLives(1))
            const { problem, state } = yield* awaitRebuild(id, ({ position }) => position >= head)
            assert.strictEqual(state, "running")
            if (tries.length < 2) assert.match(problem ?? "", waits)
          }
          assert.match((yield* infoWhen(({ problem }) => problem !== undefined)).problem!, waits)
          yield* reader.end
          const completed = yield* rebuildEnds(id)
          assert.deepStrictEqual([completed.state, completed.problem], ["completed", undefined])
          assert.isUndefined((yield* projections.list)[0]!.problem)
          assert.isAbove(tries.length, 1)
          for (const [index, at] of tries.slice(1).entries()) assert.isAbove(at - tries[index]!, 1_900)
          yield* assertViewIsFold
        }).pipe(Effect.provide(layer(url, projection)), Effect.provide(silent))
      })
  )

  it.live("for a new version is under way, not stopped, while it waits for readers; ended, it waits for nobody", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.flatMap(append(yield* orderLives(5)), viewReaches).pipe(
        Effect.provide(operatedLayer(url)),
        Effect.provide(silent)
      )
      const reading = yield* Layer.build(readerLayer(url, { sessionSettings: idleInTransaction }))
      yield* Effect.provide(longReader, reading)
      yield* Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        const { problem, rebuildId, status, version } = yield* infoWhen((info) => info.problem !== undefined)
        assert.deepStrictEqual([status, version], ["rebuilding", OrderViewProjection.version])
        assert.match(problem!, waits)
        const running = yield* awaitRebuild(rebuildId!, (rebuild) => rebuild.problem !== undefined)
        assert.containSubset(running, { state: "running", problem })
        const paused = yield* rebuilds.pause(rebuildId!)
        assert.deepStrictEqual([paused.state, paused.problem], ["paused", undefined])
        yield* rebuilds.resume(rebuildId!)
        yield* awaitRebuild(rebuildId!, ({ problem }) => problem !== undefined)
        const aborted = yield* rebuilds.abort(rebuildId!)
        assert.deepStrictEqual([aborted.state, aborted.problem], ["aborted", undefined])
      }).pipe(Effect.provide(layer(url, patient(OrderViewProjection.version + 1).projection)), Effect.provide(silent))
    })
  )
})
