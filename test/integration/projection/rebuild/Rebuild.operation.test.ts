import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { Database } from "../../../../src/database/Database.ts"
import type { Projection } from "../../../../src/projection/Projection.ts"
import { Projections } from "../../../../src/projection/Projections.ts"
import { Rebuilds } from "../../../../src/projection/rebuild/Rebuilds.ts"
import { OrderQueries } from "../../../../src/views/order/OrderQueries.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import {
  awaitRebuild,
  heldAudit,
  infoWhen,
  name,
  rebuildEnds,
  silent,
  viewReaches
} from "../../../../harness/views/ViewSteps.ts"
import { operatedLayer } from "../../../../harness/views/ViewLayer.ts"
import { idleInTransaction } from "../../../../harness/clocks/Patience.ts"
import { assertViewIsFold } from "../../../../harness/judges/OrderViewFold.ts"

describe("a rebuild", () => {
  it.live("can be paused, goes on in another process where it was, and can be aborted", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const id = yield* Effect.gen(function* () {
        const projections = yield* Projections
        const rebuilds = yield* Rebuilds
        yield* viewReaches(yield* append(yield* orderLives(60)))
        const { id } = yield* rebuilds.start(name, { eventsPerSecond: 40 })
        assert.strictEqual((yield* projections.list)[0]?.status, "rebuilding")
        yield* awaitRebuild(id, ({ position, rate }) => position > 0n && rate > 0)
        const paused = yield* rebuilds.pause(id)
        assert.strictEqual(paused.state, "paused")
        return id
      }).pipe(Effect.provide(operatedLayer(url)), Effect.provide(silent))
      yield* Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        const { position, state } = yield* rebuilds.get(id)
        assert.strictEqual(state, "paused")
        assert.isTrue(position > 0n)
        yield* rebuilds.resume(id)
        const moving = yield* awaitRebuild(id, (rebuild) => rebuild.position > position)
        assert.strictEqual(moving.state, "running")
        assert.strictEqual((yield* rebuilds.abort(id)).state, "aborted")
        assert.strictEqual((yield* Effect.flip(rebuilds.abort(id)))._tag, "RebuildRefused")
        assert.strictEqual((yield* Effect.flip(rebuilds.resume(id)))._tag, "RebuildRefused")
        yield* infoWhen(({ status }) => status === "live")
        const { reads: sql } = yield* Database
        assert.deepStrictEqual(
          yield* sql`SELECT relname FROM pg_class WHERE relname LIKE 'order_view_shadow%' ORDER BY relname`,
          []
        )
        yield* assertViewIsFold
        const again = yield* rebuilds.start(name)
        assert.strictEqual((yield* rebuildEnds(again.id)).state, "completed")
        yield* assertViewIsFold
      }).pipe(Effect.provide(operatedLayer(url)), Effect.provide(silent))
    })
  )

  it.live("begins by itself when the projection has a new version; the old table serves meanwhile", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const head = yield* Effect.gen(function* () {
        const head = yield* append(yield* orderLives(30))
        yield* viewReaches(head)
        return head
      }).pipe(Effect.provide(operatedLayer(url)))
      const isOpen = yield* Deferred.make<void>()
      const next: Projection = {
        ...OrderViewProjection,
        version: OrderViewProjection.version + 1,
        handle: (sql, events, slot) => {
          assert.strictEqual(slot, "shadow")
          return Effect.andThen(Deferred.await(isOpen), OrderViewProjection.handle(sql, events, slot))
        }
      }
      yield* Effect.gen(function* () {
        const projections = yield* Projections
        const queries = yield* OrderQueries
        const [info] = yield* projections.list.pipe(
          Effect.delay("20 millis"),
          Effect.repeat({ until: ([info]) => info?.rebuildId !== undefined })
        )
        assert.containSubset(info, { version: OrderViewProjection.version, status: "rebuilding", position: head })
        const page = yield* queries.list({ filter: {}, sort: "placedAt", limit: 100 })
        assert.lengthOf(page.orders, 30)
        assert.strictEqual(page.freshness.position, head)
        yield* Deferred.succeed(isOpen, undefined)
        yield* rebuildEnds(info!.rebuildId!)
        assert.containSubset((yield* projections.list)[0], { version: next.version, position: head })
        yield* assertViewIsFold
      }).pipe(Effect.provide(operatedLayer(url, next)), Effect.provide(silent))
    })
  )

  it.live("that a new version asked for before the first event serves, and goes on, also in the next process", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* infoWhen(({ status }) => status === "live").pipe(
        Effect.provide(operatedLayer(url)),
        Effect.provide(silent)
      )
      const next: Projection = { ...OrderViewProjection, version: OrderViewProjection.version + 1 }
      yield* infoWhen(({ rebuildId, version }) => version === next.version && rebuildId === undefined).pipe(
        Effect.provide(operatedLayer(url, next)),
        Effect.provide(silent)
      )
      yield* Effect.gen(function* () {
        const { reads: sql } = yield* Database
        assert.deepStrictEqual(yield* sql`SELECT state, "position" FROM ordinal.rebuilds`, [
          { state: "completed", position: 0n }
        ])
        yield* viewReaches(yield* append(yield* orderLives(5)))
        yield* assertViewIsFold
        assert.containSubset(yield* infoWhen(({ behind }) => behind === 0), { status: "live", version: next.version })
      }).pipe(Effect.provide(operatedLayer(url, next)), Effect.provide(silent))
    })
  )

  it.live("takes along, in small pages, what was stored while it was compared", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const { audit, isBegun, isOpen } = yield* heldAudit
      let pages: ReadonlyArray<number> = []
      const gated: Projection = {
        ...OrderViewProjection,
        handle: (sql, events, slot) => {
          if (slot === "shadow") pages = [...pages, events.length]
          return OrderViewProjection.handle(sql, events, slot)
        },
        audit
      }
      yield* Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        const before = yield* append(yield* orderLives(5))
        yield* viewReaches(before)
        const { id } = yield* rebuilds.start(name)
        yield* Deferred.await(isBegun)
        pages = []
        const entries = yield* orderLives(100)
        const head = yield* append(entries.slice(0, 250))
        yield* viewReaches(head)
        yield* Deferred.succeed(isOpen, undefined)
        assert.deepInclude(yield* rebuildEnds(id), { state: "completed", position: head })
        assert.isAbove(pages.length, 2)
        assert.isAtMost(Math.max(...pages), 100)
        assert.strictEqual(
          pages.reduce((sum, events) => sum + events),
          Number(head - before)
        )
        yield* assertViewIsFold
      }).pipe(Effect.provide(operatedLayer(url, gated, { sessionSettings: idleInTransaction })), Effect.provide(silent))
    })
  )

  it.live("is not aborted while a batch of it takes long, which is said as it is, and is when asked again", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const isBegun = yield* Deferred.make<void>()
      const isOpen = yield* Deferred.make<void>()
      const slow: Projection = {
        ...OrderViewProjection,
        handle: (sql, events, slot) =>
          slot === "live"
            ? OrderViewProjection.handle(sql, events, slot)
            : Deferred.succeed(isBegun, undefined).pipe(
                Effect.andThen(Deferred.await(isOpen)),
                Effect.andThen(OrderViewProjection.handle(sql, events, slot))
              )
      }
      const sessionSettings = { ...idleInTransaction, lock_timeout: "100ms" }
      yield* Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        yield* viewReaches(yield* append(yield* orderLives(5)))
        const { id } = yield* rebuilds.start(name, { eventsPerSecond: 1 })
        yield* Deferred.await(isBegun)
        const busy = yield* Effect.flip(rebuilds.abort(id))
        assert.containSubset(busy, { _tag: "DatabaseUnavailable", isBusy: true })
        assert.match(busy.message, /^Another transaction holds a lock that .*nothing was done.*again/i)
        assert.strictEqual((yield* rebuilds.get(id)).state, "running")
        yield* Deferred.succeed(isOpen, undefined)
        const aborted = yield* rebuilds.abort(id).pipe(Effect.retry({ while: (error) => "isBusy" in error }))
        assert.strictEqual(aborted.state, "aborted")
        yield* assertViewIsFold
      }).pipe(Effect.provide(operatedLayer(url, slow, { sessionSettings })), Effect.provide(silent))
    })
  )
})
