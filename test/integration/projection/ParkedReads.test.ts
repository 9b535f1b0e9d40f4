import * as OrdersLocal from "../../../src/orders/OrdersLocal.ts"
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Logger } from "effect"
import * as Catalog from "../../../src/orders/PriceLookup.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import { Aggregates } from "../../../src/aggregate/Aggregates.ts"
import { Commands } from "../../../src/aggregate/idempotency/Commands.ts"
import { Snapshots } from "../../../src/aggregate/Snapshots.ts"
import * as StreamId from "../../../src/eventstore/StreamId.ts"
import { OrderId } from "../../../src/order/OrderId.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import * as ConsistencyToken from "../../../src/projection/consistency/ConsistencyToken.ts"
import { ParkedStreams } from "../../../src/projection/parking/ParkedStreams.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { append, orderLives } from "../../../harness/orders/OrderLives.ts"
import { poisoned } from "../../../harness/faults/PoisonedView.ts"
import { operatedLayer } from "../../../harness/views/ViewLayer.ts"
import { longestWait } from "../../../harness/clocks/Patience.ts"

it.live("a parked order answers projection-behind with parked to whoever has seen more of it", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const entries = yield* orderLives(8)
    const lengths = new Map<StreamId.StreamId, number>()
    for (const { events, streamId } of entries) lengths.set(streamId, (lengths.get(streamId) ?? 0) + events.length)
    const [[late], [never]] = [...lengths].sort(([, left], [, right]) => right - left).slice(0, 2) as [
      [StreamId.StreamId, number],
      [StreamId.StreamId, number]
    ]
    const { projection, state } = poisoned(
      ({ streamId, version }) => (streamId === late && version === 2) || (streamId === never && version === 1)
    )
    const orders = OrdersLocal.layer.pipe(
      Layer.provide(Layer.merge(Catalog.layer, Commands.layer).pipe(Layer.provideMerge(Aggregates.layer))),
      Layer.provide(Snapshots.layerMemory),
      Layer.provideMerge(operatedLayer(url, projection))
    )
    yield* Effect.gen(function* () {
      const orders = yield* Orders
      const parkedStreams = yield* ParkedStreams
      const head = yield* append(entries)
      const log = yield* EventStore
      const { logId } = yield* log.head
      const ids = new Map(
        (yield* log.readAll({ after: 0n, limit: 500 })).map(({ eventId, position }) => [position, eventId])
      )
      const at = (position: bigint) => ({
        token: ConsistencyToken.format(logId, position, ids.get(position)),
        ...longestWait
      })
      const orderId = OrderId.make(StreamId.id(late))
      yield* orders.list({}, at(head))
      const parked = (yield* parkedStreams.list).find(({ streamId }) => streamId === late)!

      const behind = yield* Effect.flip(orders.get(orderId, at(head)))
      assert.containSubset(behind, { _tag: "ProjectionBehind", parked: true, required: head })
      // Whoever has seen less of it, or says nothing, gets what is there and is told that something is parked.
      for (const options of [at(parked.position - 1n), undefined]) {
        const { freshness, order } = yield* orders.get(orderId, options)
        assert.deepStrictEqual([order.version, freshness.parked], [1, 2])
      }
      // Of the other there is nothing, which does not mean that there is no such order.
      const absent = yield* Effect.flip(orders.get(OrderId.make(StreamId.id(never))))
      assert.containSubset(absent, { _tag: "ProjectionBehind", parked: true })
      assert.strictEqual((yield* orders.list({}, at(head))).freshness.parked, 2)

      state.isFixed = true
      for (const { id } of yield* parkedStreams.list) yield* parkedStreams.retry(id)
      assert.strictEqual((yield* orders.get(orderId, at(head))).order.version, lengths.get(late))
      assert.strictEqual((yield* orders.list({}, at(head))).freshness.parked, 0)
    }).pipe(Effect.provide(orders), Effect.provide(Logger.layer([])))
  })
)
