import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Database } from "../../../src/database/Database.ts"
import * as StreamId from "../../../src/eventstore/StreamId.ts"
import { OrderId } from "../../../src/order/OrderId.ts"
import { Projections } from "../../../src/projection/Projections.ts"
import { Audits } from "../../../src/projection/audit/Audits.ts"
import { ParkedStreams } from "../../../src/projection/parking/ParkedStreams.ts"
import { OrderQueries } from "../../../src/views/order/OrderQueries.ts"
import { readFrom } from "../../../src/testing/EventStoreEntries.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { append, orderLives } from "../../../harness/orders/OrderLives.ts"
import { assertViewIsFold, stored } from "../../../harness/judges/OrderViewFold.ts"
import { poisoned } from "../../../harness/faults/PoisonedView.ts"
import { infoWhen, silent, viewReaches } from "../../../harness/views/ViewSteps.ts"
import { operatedLayer, readerLayer } from "../../../harness/views/ViewLayer.ts"

const adapters = { postgres: freshDatabase, pglite: Effect.succeed("pglite:memory") }

/** The entries, and the stream and version of one event in the midst of the longest stream. */
const withVictim = Effect.fnUntraced(function* (orders: number) {
  const entries = yield* orderLives(orders)
  const lengths = new Map<StreamId.StreamId, number>()
  for (const { events, streamId } of entries) lengths.set(streamId, (lengths.get(streamId) ?? 0) + events.length)
  const [victim] = [...lengths].sort(([, left], [, right]) => right - left)[0]!
  return { entries, victim, version: 2 }
})

describe.each(Object.entries(adapters))("a poison event on %s", (name, database) => {
  it.live("stops one order of many; after a fix, retry applies it and what came after it in order", () =>
    Effect.gen(function* () {
      const url = yield* database
      const { entries, version, victim } = yield* withVictim(name === "postgres" ? 1_000 : 150)
      const { projection, state } = poisoned((event) => event.streamId === victim && event.version === version)
      const orderId = OrderId.make(StreamId.id(victim))
      yield* Effect.gen(function* () {
        const { reads: sql } = yield* Database
        const parkedStreams = yield* ParkedStreams
        const queries = yield* OrderQueries
        const half = Math.floor(entries.length / 2)
        yield* viewReaches(yield* append(entries.slice(0, half), 200))
        // More events of the order come while it is set aside.
        const head = yield* append(entries.slice(half), 200)
        yield* viewReaches(head)

        const all = (yield* stored(sql)).length
        assert.strictEqual(all, new Set(entries.map((entry) => entry.streamId)).size)
        const [parked, ...others] = yield* parkedStreams.list
        assert.deepStrictEqual(others, [])
        assert.containSubset(parked, { streamId: victim, version, parked: true, degraded: false, retries: 0 })
        assert.include(parked!.reason, "poison")
        const [event] = (yield* readFrom(parked!.position - 1n)).slice(0, 1)
        assert.deepStrictEqual([event!.streamId, event!.version], [victim, version])
        const info = yield* infoWhen(({ status }) => status === "live")
        assert.containSubset(info, { parked: 1, behind: 0, position: head })
        const found = yield* queries.get(orderId)
        assert.strictEqual(found.order?.version, version - 1)
        assert.strictEqual(found.parkedAt, parked!.position)
        assert.strictEqual(found.freshness.parked, 1)

        const failed = yield* Effect.flip(parkedStreams.retry(parked!.id))
        assert.containSubset(failed, { _tag: "StillFailing", streamId: victim, version })
        assert.strictEqual((yield* parkedStreams.list)[0]?.retries, 1)

        // What comes after it is held back: the handler is not even asked.
        const isLater = state.applied.some((event) => event.streamId === victim && event.version > version)
        assert.isFalse(isLater)
        state.isFixed = true
        state.applied = []
        yield* parkedStreams.retry(parked!.id)
        const versions = state.applied.filter((event) => event.streamId === victim).map((event) => event.version)
        assert.deepStrictEqual(
          versions,
          Array.from(versions, (_, index) => version + index)
        )
        assert.deepStrictEqual(yield* parkedStreams.list, [])
        assert.strictEqual((yield* queries.get(orderId)).parkedAt, undefined)
        assert.strictEqual((yield* Effect.flip(parkedStreams.retry(parked!.id)))._tag, "UnknownParkedStream")
        yield* assertViewIsFold
      }).pipe(Effect.provide(operatedLayer(url, projection)), Effect.provide(silent))
    })
  )
})

describe("parking", () => {
  const parkOne = Effect.fnUntraced(function* (url: string, restarts: boolean) {
    const { entries, version, victim } = yield* withVictim(20)
    const { projection, state } = poisoned((event) => event.streamId === victim && event.version === version)
    // The poison is among those before the restart, more of its order after it.
    const half = entries.findIndex(({ expected, streamId }) => streamId === victim && expected >= version - 1) + 1
    const some = Effect.gen(function* () {
      yield* viewReaches(yield* append(entries.slice(0, half)))
    })
    if (restarts) yield* some.pipe(Effect.provide(operatedLayer(url, projection)), Effect.provide(silent))
    return { projection, state, victim, version, rest: entries.slice(restarts ? half : 0) }
  })

  it.live("survives a restart, and loses nothing that is appended during a retry", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const { projection, rest, state, version, victim } = yield* parkOne(url, true)
      yield* Effect.gen(function* () {
        const parkedStreams = yield* ParkedStreams
        state.isFixed = true
        const [parked] = yield* parkedStreams.list
        assert.containSubset(parked, { streamId: victim, version })
        const more = rest.findIndex(({ streamId }) => streamId === victim) + 1
        assert.isAbove(more, 0)
        yield* viewReaches(yield* append(rest.slice(0, more)))
        assert.containSubset((yield* parkedStreams.list)[0], { id: parked!.id, version })
        const [head] = yield* Effect.all([append(rest.slice(more), 1), parkedStreams.retry(parked!.id)], {
          concurrency: 2
        })
        yield* viewReaches(head)
        assert.deepStrictEqual(yield* parkedStreams.list, [])
        yield* assertViewIsFold
      }).pipe(Effect.provide(operatedLayer(url, projection)), Effect.provide(silent))
    })
  )

  it.live("skips one event for good, keeps it on record and follows the order again", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const { projection, rest, victim, version } = yield* parkOne(url, false)
      yield* Effect.gen(function* () {
        const projections = yield* Projections
        const parkedStreams = yield* ParkedStreams
        const audits = yield* Audits
        const queries = yield* OrderQueries
        yield* viewReaches(yield* append(rest))
        const [parked] = yield* parkedStreams.list
        const elsewhere = yield* Effect.flip(parkedStreams.skip(parked!.id, version + 1))
        assert.containSubset(elsewhere, { _tag: "ParkedElsewhere", streamId: victim, version, asked: version + 1 })
        yield* parkedStreams.skip(parked!.id, version)
        assert.strictEqual((yield* Effect.flip(parkedStreams.skip(parked!.id, version)))._tag, "UnknownParkedStream")
        const [left] = yield* parkedStreams.list
        assert.containSubset(left, { streamId: victim, parked: false, degraded: true, skipped: [version] })
        assert.strictEqual((yield* projections.list)[0]?.parked, 0)
        const last = (yield* readFrom(0n)).findLast((event) => event.streamId === victim)!
        const { order } = yield* queries.get(OrderId.make(StreamId.id(victim)))
        assert.strictEqual(order?.version, last.version)
        const more = (yield* orderLives(3)).filter((entry) => entry.streamId !== victim)
        yield* viewReaches(yield* append(more))
        assert.deepStrictEqual((yield* audits.auditSample(projection.name, 200)).differences, [])
        // What is degraded is not compared: its row is known to lack an event.
        assert.strictEqual((yield* audits.auditStream(projection.name, victim)).compared, 0)
      }).pipe(Effect.provide(operatedLayer(url, projection)), Effect.provide(silent))
    })
  )

  it.live("stops and sets nothing aside when ten streams fail in one batch; resume tries again", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const { projection, state } = poisoned((event) => event.version === 1)
      const head = yield* Effect.gen(function* () {
        return yield* append(yield* orderLives(12))
      }).pipe(Effect.provide(readerLayer(url)))
      yield* Effect.gen(function* () {
        const projections = yield* Projections
        const parkedStreams = yield* ParkedStreams
        const stopped = projections.list.pipe(
          Effect.delay("50 millis"),
          Effect.repeat({ until: ([info]) => info?.status === "stopped" && info.problem !== undefined })
        )
        const [info] = yield* stopped
        assert.match(info!.problem!, /10 streams fail in one batch.*poison/)
        assert.strictEqual(info!.position, 0n)
        assert.deepStrictEqual(yield* parkedStreams.list, [])
        state.isFixed = true
        yield* projections.resume(projection.name)
        yield* viewReaches(head)
        yield* assertViewIsFold
      }).pipe(Effect.provide(operatedLayer(url, projection)), Effect.provide(silent))
    })
  )

  it.live("is not for a projection of which no stream stands alone: that stops", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const { projection } = poisoned((event) => event.position === 5n)
      yield* Effect.gen(function* () {
        yield* append(yield* orderLives(12))
        const projections = yield* Projections
        const parkedStreams = yield* ParkedStreams
        const [info] = yield* projections.list.pipe(
          Effect.delay("50 millis"),
          Effect.repeat({ until: ([info]) => info?.status === "stopped" && info.problem !== undefined })
        )
        assert.match(info!.problem!, /position 5 fails and can't be set aside/)
        assert.deepStrictEqual(yield* parkedStreams.list, [])
      }).pipe(
        Effect.provide(operatedLayer(url, { ...projection, partition: "none" })),
        Effect.provide(Layer.mergeAll(silent))
      )
    })
  )
})
