import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Database } from "../../../../src/database/Database.ts"
import * as BatchSize from "../../../../src/projection/run/BatchSize.ts"
import * as Checkpoint from "../../../../src/projection/Checkpoint.ts"
import * as Lease from "../../../../src/projection/run/Lease.ts"
import * as PoisonEvents from "../../../../src/projection/run/PoisonEvents.ts"
import type { Projection } from "../../../../src/projection/Projection.ts"
import { maxBatch, session } from "../../../../src/projection/store/SqlProjectionStore.ts"
import * as ProjectionBatch from "../../../../src/projection/run/ProjectionBatch.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { readFrom } from "../../../../src/testing/EventStoreEntries.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { fresh, readerLayer } from "../../../../harness/views/ViewLayer.ts"

describe("BatchSize", () => {
  it("is halved by what is too slow, down to one event", () => {
    const size = BatchSize.make(maxBatch.postgres)
    const seen = [size.current()]
    while (size.current() > 1) {
      size.tooSlow(size.current())
      seen.push(size.current())
    }
    assert.deepStrictEqual(seen, [5_000, 2_500, 1_250, 625, 312, 156, 78, 39, 19, 9, 4, 2, 1])
    size.tooSlow(1)
    assert.strictEqual(size.current(), 1)
  })

  it("grows slowly with batches that fill it, up to where it was", () => {
    const size = BatchSize.make(maxBatch.pglite)
    size.tooSlow(80)
    size.applied(39, 10)
    assert.strictEqual(size.current(), 40)
    size.applied(40, 10)
    assert.strictEqual(size.current(), 42)
    for (let times = 0; times < 200; times++) size.applied(size.current(), 10)
    assert.strictEqual(size.current(), 500)
  })

  it("is halved by a large batch that takes longer than a second, but not below 500 events", () => {
    const size = BatchSize.make(maxBatch.postgres)
    const seen = Array.from({ length: 6 }, () => {
      size.applied(size.current(), 1_001)
      return size.current()
    })
    assert.deepStrictEqual(seen, [2_500, 1_250, 625, 500, 525, 500])
    size.tooSlow(20)
    size.applied(10, 1_001)
    assert.strictEqual(size.current(), 11)
  })

  it("is no larger after a small batch was too slow", () => {
    const size = BatchSize.make(maxBatch.postgres)
    size.tooSlow(10)
    size.tooSlow(100)
    assert.strictEqual(size.current(), 5)
  })

  it.live("is told how long a batch took", () =>
    Effect.gen(function* () {
      const { projections: sql } = yield* Database
      const key = { ...OrderViewProjection, slot: "live" } as const
      const owner = crypto.randomUUID()
      const projection: Projection = { ...OrderViewProjection, handle: (sql) => sql`SELECT pg_sleep(0.2)` }
      const told: Array<readonly [events: number, millis: number]> = []
      const size = {
        ...BatchSize.make(maxBatch.postgres),
        applied: (events: number, millis: number) => void told.push([events, millis])
      }
      const work = { projection, key, owner, size, poison: PoisonEvents.make(), onTrouble: () => Effect.void }
      yield* append(yield* orderLives(2))
      const [first, ...rest] = yield* readFrom(0n)
      yield* Checkpoint.create(sql, key)
      yield* Lease.take(sql, key, owner, true)
      yield* ProjectionBatch.make(session(sql), work)((yield* Checkpoint.stored(sql, key))!, [first!, ...rest])
      assert.strictEqual(told[0]?.[0], 1 + rest.length)
      assert.isAtLeast(told[0]?.[1] ?? 0, 200)
    }).pipe(Effect.provide(fresh(readerLayer)))
  )
})
