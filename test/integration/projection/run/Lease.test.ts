import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Duration, Effect, Exit, Fiber, Layer, Scope } from "effect"
import * as PostgresProxy from "../../../../harness/faults/PostgresProxy.ts"
import { now } from "../../../../harness/clocks/RunningTime.ts"
import { Database } from "../../../../src/database/Database.ts"
import * as Lease from "../../../../src/projection/run/Lease.ts"
import type { Projection } from "../../../../src/projection/Projection.ts"
import { defaults, ProjectionLimits } from "../../../../src/projection/ProjectionLimits.ts"
import { ProjectionProgress } from "../../../../src/projection/consistency/ProjectionProgress.ts"
import * as ProjectionRunner from "../../../../src/projection/run/ProjectionRunner.ts"
import { Projections } from "../../../../src/projection/Projections.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { assertViewIsFold } from "../../../../harness/judges/OrderViewFold.ts"
import { onePerPool, operatedLayer, processLayer, readerLayer } from "../../../../harness/views/ViewLayer.ts"
import { endlessLease } from "../../../../harness/clocks/Patience.ts"
import { silent, viewReaches } from "../../../../harness/views/ViewSteps.ts"

const { name, version } = OrderViewProjection
const key = { name, version, slot: "live" as const }
const endless = Effect.provideService(ProjectionLimits, endlessLease)

const owner = Effect.flatMap(Database, ({ reads: sql }) =>
  Effect.map(
    sql<{ readonly owner: string | null }>`SELECT owner::text FROM ordinal.checkpoints ORDER BY slot`,
    ([row]) => row?.owner
  )
)

/** The projection, and which process applied each event. */
const tracked = (applied: Array<string>, process: string): Projection => ({
  ...OrderViewProjection,
  handle: (sql, events, slot) =>
    Effect.tap(OrderViewProjection.handle(sql, events, slot), () => Effect.sync(() => void applied.push(process)))
})

describe("the lease", () => {
  it.live("keeps the others waiting", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const applied: Array<string> = []
      yield* Effect.gen(function* () {
        yield* viewReaches(yield* append(yield* orderLives(10)))
        const holder = yield* owner
        assert.isString(holder)
        const second = ProjectionRunner.layer(tracked(applied, "second")).pipe(
          Layer.provideMerge(readerLayer(url)),
          Layer.provide(silent)
        )
        yield* Effect.gen(function* () {
          for (let round = 0; round < 3; round++) yield* viewReaches(yield* append(yield* orderLives(3)))
        }).pipe(Effect.provide(second))
        assert.strictEqual(yield* owner, holder)
        assert.deepStrictEqual(new Set(applied), new Set(["first"]))
      }).pipe(
        Effect.provide(
          ProjectionRunner.layer(tracked(applied, "first")).pipe(
            Layer.provideMerge(readerLayer(url)),
            Layer.provide(silent)
          )
        )
      )
    }).pipe(endless)
  )

  it.live("goes to another process within 5 s when its holder is gone", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const proxy = yield* PostgresProxy.make(url)
      const applied: Array<string> = []
      const scope = yield* Scope.make()
      // The first process is cut off from the database: it can neither go on nor give its lease back.
      const first = yield* Layer.buildWithScope(
        ProjectionRunner.layer(tracked(applied, "first")).pipe(
          Layer.provideMerge(readerLayer(proxy.url)),
          Layer.provide(silent)
        ),
        scope
      )
      yield* Effect.gen(function* () {
        yield* viewReaches(yield* append(yield* orderLives(10)))
        const holder = yield* owner
        assert.isString(holder)
        yield* Effect.gen(function* () {
          assert.deepStrictEqual(new Set(applied), new Set(["first"]))
          yield* proxy.goAway
          const start = now()
          yield* viewReaches(yield* append(yield* orderLives(3)))
          assert.isBelow(now() - start, 5_000)
          assert.strictEqual(applied.at(-1), "second")
          assert.notStrictEqual(yield* owner, holder)
          yield* assertViewIsFold
          // Back again it finds that it has lost the lease, and stands by.
          yield* proxy.comeBack
          applied.length = 0
          const head = yield* append(yield* orderLives(5))
          yield* Effect.all([viewReaches(head), Effect.provide(viewReaches(head), first)])
          assert.deepStrictEqual(new Set(applied), new Set(["second"]))
          yield* assertViewIsFold
        }).pipe(
          Effect.provide(
            ProjectionRunner.layer(tracked(applied, "second")).pipe(
              Layer.provideMerge(readerLayer(url)),
              Layer.provide(silent)
            )
          ),
          endless
        )
      }).pipe(Effect.provide(Context.merge(first, yield* Layer.build(readerLayer(url)))))
      yield* Scope.close(scope, Exit.void)
    })
  )

  it.live("is given back at once by a process that ends in order", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      for (let round = 0; round < 3; round++) {
        yield* Effect.gen(function* () {
          yield* viewReaches(yield* append(yield* orderLives(3)))
        }).pipe(Effect.provide(processLayer(url)))
      }
    }).pipe(endless)
  )

  it.live("is not taken by whoever asks while it is held, and by anybody once it has ended", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.gen(function* () {
        const { projections: sql } = yield* Database
        const [one, other] = [crypto.randomUUID(), crypto.randomUUID()]
        yield* sql`INSERT INTO ordinal.checkpoints (projection, version, log_id, "position", updated_at)
          SELECT ${name}, ${version}::integer, log_id, 0, now() FROM ordinal.log_head`
        assert.isTrue(yield* Lease.take(sql, key, one, false))
        assert.isFalse(yield* Lease.take(sql, key, other, false))
        assert.isTrue(yield* Lease.take(sql, key, one, false))
        yield* sql`UPDATE ordinal.checkpoints SET until = clock_timestamp() - interval '1 millisecond'`
        assert.isTrue(yield* Lease.take(sql, key, other, false))
        assert.isFalse(yield* Lease.take(sql, key, one, false))
        yield* Lease.release(sql, key, one)
        assert.isFalse(yield* Lease.take(sql, key, one, false))
        yield* Lease.release(sql, key, other)
        assert.isTrue(yield* Lease.take(sql, key, one, false))
      }).pipe(Effect.provide(readerLayer(url)))
    }).pipe(endless)
  )
})

describe("a pause", () => {
  it.live("takes effect when it is answered, survives a restart, and ends by command", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const position = yield* Effect.gen(function* () {
        const projections = yield* Projections
        const writes = yield* Effect.forkChild(append(yield* orderLives(40), 2))
        yield* viewReaches(20n)
        yield* projections.pause(name)
        const [paused] = yield* projections.list
        assert.strictEqual(paused!.status, "paused")
        const head = yield* Fiber.join(writes)
        const [after] = yield* projections.list
        assert.strictEqual(after?.position, paused!.position)
        assert.strictEqual(after?.behind, Number(head - paused!.position))
        return paused!.position
      }).pipe(Effect.provide(operatedLayer(url)))
      yield* Effect.gen(function* () {
        const projections = yield* Projections
        const progress = yield* ProjectionProgress
        yield* progress
          .status(OrderViewProjection)
          .pipe(Effect.delay("10 millis"), Effect.repeat({ until: (status) => status === "paused" }))
        const [info] = yield* projections.list
        assert.containSubset(info, { status: "paused", position })
        yield* projections.resume(name)
        yield* viewReaches(info!.head)
        assert.strictEqual((yield* projections.list)[0]?.status, "live")
        yield* assertViewIsFold
        assert.strictEqual((yield* Effect.flip(projections.pause("no-such")))._tag, "UnknownProjection")
      }).pipe(Effect.provide(operatedLayer(url)))
    })
  )
})

describe("a COMMIT whose answer never comes", () => {
  it.live("is given up with its connection, blocks no pool of one, and is not applied twice", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const proxy = yield* PostgresProxy.make(url)
      const isWritten = yield* Deferred.make<void>()
      let swallowed = false
      const swallowing: Projection = {
        ...OrderViewProjection,
        handle: (sql, events, slot) =>
          Effect.gen(function* () {
            yield* OrderViewProjection.handle(sql, events, slot)
            if (swallowed) return
            swallowed = true
            yield* proxy.inject("swallow", "ordinal-projections")
            yield* Deferred.succeed(isWritten, undefined)
          })
      }
      yield* Effect.gen(function* () {
        const { projections: pool } = yield* Database
        const head = yield* append(yield* orderLives(10))
        yield* Deferred.await(isWritten)
        yield* Effect.sync(proxy.hits).pipe(Effect.delay("5 millis"), Effect.repeat({ until: (hits) => hits > 0 }))
        assert.deepStrictEqual(yield* pool`SELECT 1 AS it ORDER BY it`, [{ it: 1 }])
        yield* viewReaches(head)
        const more = yield* append(yield* orderLives(10))
        yield* viewReaches(more)
        assert.isAtLeast(proxy.hits(), 1)
        yield* assertViewIsFold
      }).pipe(
        Effect.provide(ProjectionRunner.layer(swallowing).pipe(Layer.provideMerge(readerLayer(proxy.url, onePerPool)))),
        Effect.provideService(ProjectionLimits, { ...defaults, transaction: Duration.seconds(2) }),
        Effect.provide(silent)
      )
    })
  )
})
