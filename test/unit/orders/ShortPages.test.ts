/** A page of a stream may be short although the stream goes on, since its events are large: nothing takes that for the end. */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { Aggregates } from "../../../src/aggregate/Aggregates.ts"
import { Commands } from "../../../src/aggregate/idempotency/Commands.ts"
import { Snapshots } from "../../../src/aggregate/Snapshots.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import * as MemoryEventStore from "../../../src/eventstore/MemoryEventStore.ts"
import { LogTail } from "../../../src/eventstore/tail/LogTail.ts"
import { OrderAggregate } from "../../../src/order/OrderAggregate.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import * as OrdersLocal from "../../../src/orders/OrdersLocal.ts"
import * as PriceLookup from "../../../src/orders/PriceLookup.ts"
import * as ProjectionLayers from "../../../src/projection/ProjectionLayers.ts"
import * as FaultyEventStore from "../../../src/testing/FaultyEventStore.ts"
import { catalogInMemory } from "../../../src/orders/OrdersLayers.ts"
import * as MemoryOrderQueries from "../../../src/views/order/MemoryOrderQueries.ts"
import { home, newOrderId, request, stock } from "../../../harness/orders/BothOrders.ts"

/** Pages of streams have at most two events, whatever is asked for. */
const short = Effect.gen(function* () {
  const { inject, store } = FaultyEventStore.make(yield* MemoryEventStore.make())
  inject({
    readStream: Effect.map(({ events, hasMore }) => ({
      events: events.slice(0, 2),
      hasMore: hasMore || events.length > 2
    }))
  })
  return store
})

const processOn = (store: EventStore["Service"]) =>
  Layer.build(
    Layer.fresh(OrdersLocal.layer).pipe(
      Layer.provideMerge(Layer.mergeAll(PriceLookup.layer, MemoryOrderQueries.layer, catalogInMemory)),
      Layer.provideMerge(Layer.merge(Commands.layer, ProjectionLayers.layerMemory)),
      Layer.provideMerge(Layer.fresh(Aggregates.layer)),
      Layer.provideMerge(Layer.merge(Layer.fresh(LogTail.layer), Snapshots.layerMemory)),
      Layer.provide(Layer.succeed(EventStore, store))
    )
  )

it.live("an order is whole for its actor, its history and its fold although pages of its stream are short", () =>
  Effect.gen(function* () {
    const store = yield* short
    const id = newOrderId(1)
    const first = Context.get(yield* processOn(store), Orders)
    yield* stock(first)
    yield* first.place(request(id))
    for (let change = 1; change <= 8; change++) {
      yield* first.changeShippingAddress(id, { ...home, line1: `${change} Lane` })
    }
    // Another process has nothing of it in memory.
    const services = yield* processOn(store)
    const orders = Context.get(services, Orders)
    const { state, version } = yield* Context.get(services, Aggregates).read(OrderAggregate, id)
    assert.containSubset(state, { address: { line1: "8 Lane" } })
    const versions = Array.from({ length: version }, (_, index) => index + 1)
    assert.isAbove(version, 8)
    const history = yield* orders.history(id)
    assert.deepStrictEqual(
      history.map((event) => event.version),
      versions
    )
    assert.lengthOf(yield* orders.history(id, { after: 2, limit: 5 }), 5)
    assert.lengthOf(yield* orders.history(id, { after: version }), 0)
    assert.strictEqual((yield* orders.at(id, version)).shippingAddress.line1, "8 Lane")
    assert.strictEqual((yield* orders.at(id, version - 3)).version, version - 3)
  }).pipe(Effect.scoped)
)
