import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { Database } from "../../src/database/Database.ts"
import type { Projection } from "../../src/projection/Projection.ts"
import { Projections } from "../../src/projection/Projections.ts"
import { OrderViewProjection } from "../../src/readmodel/OrderViewProjection.ts"
import { OrderViewTable } from "../../src/readmodel/OrderViewTable.ts"
import { freshDatabase } from "../support/freshDatabase.ts"
import { append, orderLives } from "../support/orderLives.ts"
import { awaitRebuild, ended, isFold, name, seen, silent } from "../support/rebuilds.ts"
import { operatedLayer } from "../support/viewLayer.ts"

describe("a rebuild", () => {
  it.live(
    "lets long readers of the old table finish, follows the log meanwhile, and keeps new ones waiting rarely",
    () =>
      Effect.gen(function* () {
        const url = yield* freshDatabase
        const tries: Array<number> = []
        const patient: Projection = {
          ...OrderViewProjection,
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
        yield* Effect.gen(function* () {
          const projections = yield* Projections
          const { reads: sql } = yield* Database
          yield* seen(yield* append(yield* orderLives(5)))
          const [hasRead, isOver] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
          const reader = yield* sql`SELECT FROM ordinal.order_view`.pipe(
            Effect.andThen(Deferred.succeed(hasRead, undefined)),
            Effect.andThen(Deferred.await(isOver)),
            sql.withTransaction,
            Effect.forkChild
          )
          yield* Deferred.await(hasRead)
          const { id } = yield* projections.rebuild(name)
          yield* awaitRebuild(id, () => tries.length > 0)
          for (let more = 0; more < 5; more++) {
            const head = yield* append(yield* orderLives(1))
            const { state } = yield* awaitRebuild(id, ({ position }) => position >= head)
            assert.strictEqual(state, "running")
          }
          yield* Deferred.succeed(isOver, undefined)
          yield* Fiber.join(reader)
          assert.strictEqual((yield* ended(id)).state, "completed")
          assert.isAbove(tries.length, 1)
          for (const [index, at] of tries.slice(1).entries()) assert.isAbove(at - tries[index]!, 1_900)
          yield* isFold
        }).pipe(
          Effect.provide(operatedLayer(url, patient, { pools: { append: 1, projections: 2, reads: 3 } })),
          Effect.provide(silent)
        )
      })
  )
})
