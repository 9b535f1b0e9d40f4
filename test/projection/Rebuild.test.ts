import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Logger, Ref } from "effect"
import { Database } from "../../src/database/Database.ts"
import type { Projection } from "../../src/projection/Projection.ts"
import { ProjectionProgress } from "../../src/projection/ProjectionProgress.ts"
import { Projections, type Rebuild } from "../../src/projection/Projections.ts"
import { OrderQueries } from "../../src/readmodel/OrderQueries.ts"
import { OrderViewProjection } from "../../src/readmodel/OrderViewProjection.ts"
import { freshDatabase } from "../support/freshDatabase.ts"
import { append, orderLives } from "../support/orderLives.ts"
import { assertViewIsFold, stored } from "../support/orderViewRows.ts"
import { operatedLayer } from "../support/viewLayer.ts"

const adapters = { postgres: freshDatabase, pglite: Effect.succeed("pglite:memory") }
const { name } = OrderViewProjection
const silent = Logger.layer([])

const seen = (position: bigint) =>
  Effect.flatMap(ProjectionProgress, (progress) => progress.awaitPosition(OrderViewProjection, position))

const awaitRebuild = (id: string, isReached: (rebuild: Rebuild) => boolean) =>
  Effect.flatMap(Projections, (projections) =>
    projections.rebuildStatus(id).pipe(Effect.delay("20 millis"), Effect.repeat({ until: isReached }))
  )
const ended = (id: string) => awaitRebuild(id, ({ state }) => state !== "running")

const isFold = Effect.flatMap(Database, ({ reads }) => assertViewIsFold(reads))

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
        const { reads: sql } = yield* Database
        yield* seen(yield* append(yield* orderLives(adapter === "postgres" ? 150 : 50)))
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
          const { id } = yield* projections.rebuild(name, { compare: 20 })
          const refused = yield* Effect.flip(projections.rebuild(name))
          assert.containSubset(refused, { _tag: "RebuildRefused", id })
          const rebuild = yield* ended(id)
          assert.containSubset(rebuild, { state: "completed", different: 0, from: 0n }, rebuild.problem)
          assert.isAbove(rebuild.compared, 0)
          assert.isAbove(rebuild.rate, 0)
        }
        yield* Ref.set(isOver, true)
        yield* Fiber.join(writer)
        for (const rounds of yield* Fiber.join(readers)) assert.isAbove(rounds, 0)
        yield* seen((yield* projections.list)[0]!.head)
        yield* assertViewIsFold(sql)

        // Byte for byte what is made from nothing.
        const text = sql`SELECT md5(string_agg(v::text, '|' ORDER BY v.order_id)) AS hash FROM ordinal.order_view v`
        const before = yield* text
        const { id } = yield* projections.rebuild(name, { compare: "all" })
        const last = yield* ended(id)
        assert.strictEqual(last.compared, (yield* stored(sql)).length)
        assert.deepStrictEqual(yield* text, before)
      }).pipe(Effect.provide(operatedLayer(url)), Effect.provide(silent))
    })
  )
})

describe("a rebuild", () => {
  it.live("can be paused, goes on in another process where it was, and can be aborted", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const id = yield* Effect.gen(function* () {
        const projections = yield* Projections
        yield* seen(yield* append(yield* orderLives(60)))
        const { id } = yield* projections.rebuild(name, { eventsPerSecond: 100 })
        assert.strictEqual((yield* projections.list)[0]?.status, "rebuilding")
        yield* awaitRebuild(id, ({ position }) => position > 0n)
        const paused = yield* projections.pauseRebuild(id)
        assert.strictEqual(paused.state, "paused")
        return id
      }).pipe(Effect.provide(operatedLayer(url)), Effect.provide(silent))
      yield* Effect.gen(function* () {
        const projections = yield* Projections
        const { position, state } = yield* projections.rebuildStatus(id)
        assert.strictEqual(state, "paused")
        assert.isTrue(position > 0n)
        yield* projections.resumeRebuild(id)
        const moving = yield* awaitRebuild(id, (rebuild) => rebuild.position > position)
        assert.strictEqual(moving.state, "running")
        assert.strictEqual((yield* projections.abortRebuild(id)).state, "aborted")
        assert.strictEqual((yield* Effect.flip(projections.abortRebuild(id)))._tag, "RebuildRefused")
        assert.strictEqual((yield* Effect.flip(projections.resumeRebuild(id)))._tag, "RebuildRefused")
        assert.strictEqual((yield* projections.list)[0]?.status, "live")
        const { reads: sql } = yield* Database
        assert.deepStrictEqual(
          yield* sql`SELECT relname FROM pg_class WHERE relname LIKE 'order_view_shadow%' ORDER BY relname`,
          []
        )
        yield* isFold
        const again = yield* projections.rebuild(name)
        assert.strictEqual((yield* ended(again.id)).state, "completed")
        yield* isFold
      }).pipe(Effect.provide(operatedLayer(url)), Effect.provide(silent))
    })
  )

  it.live("begins by itself when the projection has a new version; the old table serves meanwhile", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const head = yield* Effect.gen(function* () {
        const head = yield* append(yield* orderLives(30))
        yield* seen(head)
        return head
      }).pipe(Effect.provide(operatedLayer(url)))
      const isOpen = yield* Deferred.make<void>()
      const next: Projection = {
        ...OrderViewProjection,
        version: 2,
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
        assert.containSubset(info, { version: 1, status: "rebuilding", position: head })
        const page = yield* queries.list({ filter: {}, sort: "placedAt", limit: 100 })
        assert.lengthOf(page.orders, 30)
        assert.strictEqual(page.freshness.position, head)
        yield* Deferred.succeed(isOpen, undefined)
        yield* ended(info!.rebuildId!)
        assert.containSubset((yield* projections.list)[0], { version: 2, position: head })
        yield* isFold
      }).pipe(Effect.provide(operatedLayer(url, next)), Effect.provide(silent))
    })
  )

  it.live("is not put in place when it differs from the log", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      let wrong = true
      const bent: Projection = {
        ...OrderViewProjection,
        handle: (sql, events, slot) =>
          OrderViewProjection.handle(sql, events, slot).pipe(
            Effect.andThen(
              slot === "shadow" && wrong
                ? Effect.asVoid(sql`UPDATE ordinal.order_view_shadow SET status = 'bent'`)
                : Effect.void
            )
          )
      }
      yield* Effect.gen(function* () {
        const projections = yield* Projections
        yield* seen(yield* append(yield* orderLives(20)))
        const { id } = yield* projections.rebuild(name, { compare: "all" })
        const blocked = yield* ended(id)
        assert.containSubset(blocked, { state: "blocked", compared: 20, different: 20 })
        assert.match(blocked.problem!, /20 of 20 rows are not the fold of the log.* in status/)
        yield* isFold
        yield* projections.abortRebuild(id)
        wrong = false
        const { id: second } = yield* projections.rebuild(name)
        assert.strictEqual((yield* ended(second)).state, "completed")
      }).pipe(Effect.provide(operatedLayer(url, bent)), Effect.provide(silent))
    })
  )

  it.live("is not put in place when it would take readers of an order back, until that is put right", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      let isBroken = true
      const bent: Projection = {
        ...OrderViewProjection,
        handle: (sql, events, slot) =>
          Effect.suspend(() => {
            if (slot === "shadow" && isBroken && events.some(({ position }) => position === 30n)) throw new Error("no")
            return OrderViewProjection.handle(sql, events, slot)
          })
      }
      yield* Effect.gen(function* () {
        const projections = yield* Projections
        const head = yield* append(yield* orderLives(20))
        yield* seen(head)
        const { id } = yield* projections.rebuild(name)
        const blocked = yield* ended(id)
        assert.strictEqual(blocked.state, "blocked")
        assert.match(blocked.problem!, /fails in the new view and not in the one that serves: no/)
        assert.containSubset((yield* projections.list)[0], { parked: 0, position: head })
        yield* isFold
        isBroken = false
        yield* projections.abortRebuild(id)
        assert.strictEqual((yield* ended((yield* projections.rebuild(name)).id)).state, "completed")
        assert.deepStrictEqual(yield* projections.parked, [])
        yield* isFold
      }).pipe(Effect.provide(operatedLayer(url, bent)), Effect.provide(silent))
    })
  )

  it.live("is what a checkpoint of another log demands, and puts it right", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.gen(function* () {
        yield* seen(yield* append(yield* orderLives(10)))
        const { reads: sql } = yield* Database
        yield* sql`UPDATE ordinal.checkpoints SET log_id = gen_random_uuid(), "position" = "position" + 5`
      }).pipe(Effect.provide(operatedLayer(url)))
      yield* Effect.gen(function* () {
        const projections = yield* Projections
        assert.strictEqual((yield* projections.list)[0]?.status, "stopped")
        const { id } = yield* projections.rebuild(name)
        assert.strictEqual((yield* ended(id)).state, "completed")
        const entries = yield* orderLives(5)
        yield* seen(yield* append(entries))
        yield* isFold
      }).pipe(Effect.provide(operatedLayer(url)), Effect.provide(silent))
    })
  )
})
