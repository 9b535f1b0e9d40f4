import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Ref } from "effect"
import { Database } from "../../../../src/database/Database.ts"
import { Projections } from "../../../../src/projection/Projections.ts"
import { Rebuilds } from "../../../../src/projection/rebuild/Rebuilds.ts"
import { OrderQueries } from "../../../../src/views/order/OrderQueries.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { assertViewIsFold, stored } from "../../../../harness/judges/OrderViewFold.ts"
import { name, rebuildEnds, silent, viewReaches } from "../../../../harness/views/ViewSteps.ts"
import { operatedLayer } from "../../../../harness/views/ViewLayer.ts"

const adapters = { postgres: freshDatabase, pglite: Effect.succeed("pglite:memory") }

/** Reads whole lists again and again: no order twice, none that was there missing, none older, no position going back. */
const reader = Effect.fnUntraced(function* (isOver: Ref.Ref<boolean>) {
  const queries = yield* OrderQueries
  const versions = new Map<string, number>()
  let position = 0n
  let rounds = 0
  while (!(yield* Ref.get(isOver)) || rounds === 0) {
    const listed = new Set<string>()
    let cursor: string | undefined
    do {
      const page = yield* queries.list({
        filter: {},
        sort: "placedAt",
        limit: 50,
        ...(cursor === undefined ? {} : { cursor })
      })
      assert.isTrue(page.freshness.position >= position, "the position goes back")
      position = page.freshness.position
      for (const { orderId, version } of page.orders) {
        assert.isFalse(listed.has(orderId), `${orderId} twice`)
        assert.isAtLeast(version, versions.get(orderId) ?? 0)
        listed.add(orderId)
        versions.set(orderId, version)
      }
      cursor = page.hasMore ? page.next : undefined
    } while (cursor !== undefined)
    for (const orderId of versions.keys()) assert.isTrue(listed.has(orderId), `${orderId} is gone`)
    rounds++
  }
  return rounds
})

describe.each(Object.entries(adapters))("a rebuild on %s", (adapter, database) => {
  it.live("under load, twice: readers see nothing empty, older or twice, and the result is the fold (L13)", () =>
    Effect.gen(function* () {
      const url = yield* database
      yield* Effect.gen(function* () {
        const projections = yield* Projections
        const rebuilds = yield* Rebuilds
        const { reads: sql } = yield* Database
        yield* viewReaches(yield* append(yield* orderLives(adapter === "postgres" ? 150 : 50)))
        const isOver = yield* Ref.make(false)
        const writes = Effect.gen(function* () {
          while (!(yield* Ref.get(isOver))) {
            yield* append(yield* orderLives(2), 2)
            yield* Effect.sleep("10 millis")
          }
        })
        const writer = yield* Effect.forkChild(writes)
        const readers = yield* Effect.forkChild(Effect.all([reader(isOver), reader(isOver)], { concurrency: 2 }))
        for (let round = 0; round < 2; round++) {
          const { id } = yield* rebuilds.start(name, { compare: 20 })
          const refused = yield* Effect.flip(rebuilds.start(name))
          assert.containSubset(refused, { _tag: "RebuildRefused", id })
          const rebuild = yield* rebuildEnds(id)
          assert.containSubset(rebuild, { state: "completed", different: 0, from: 0n }, rebuild.problem)
          assert.isAbove(rebuild.compared, 0)
        }
        yield* Ref.set(isOver, true)
        yield* Fiber.join(writer)
        for (const rounds of yield* Fiber.join(readers)) assert.isAbove(rounds, 0)
        yield* viewReaches((yield* projections.list)[0]!.head)
        yield* assertViewIsFold

        // Byte for byte what is made from nothing.
        const text = sql`SELECT md5(string_agg(v::text, '|' ORDER BY v.order_id)) AS hash FROM ordinal.order_view v`
        const before = yield* text
        const { id } = yield* rebuilds.start(name, { compare: "all" })
        const last = yield* rebuildEnds(id)
        assert.strictEqual(last.compared, (yield* stored(sql)).length)
        assert.deepStrictEqual(yield* text, before)
      }).pipe(Effect.provide(operatedLayer(url)), Effect.provide(silent))
    })
  )
})
