/** Orders are priced from memory: no question before the append, and no order at a price or for a customer of yesterday. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Layer } from "effect"
import { AggregateLimits, defaults } from "../../../src/aggregate/AggregateLimits.ts"
import { Aggregates } from "../../../src/aggregate/Aggregates.ts"
import { Catalog } from "../../../src/catalog/Catalog.ts"
import { CustomerAggregate } from "../../../src/catalog/Customer.ts"
import { ProductAggregate } from "../../../src/catalog/Product.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import * as StreamId from "../../../src/eventstore/StreamId.ts"
import * as MemoryEventStore from "../../../src/eventstore/MemoryEventStore.ts"
import { LogTail } from "../../../src/eventstore/tail/LogTail.ts"
import { Commands } from "../../../src/aggregate/idempotency/Commands.ts"
import { Snapshots } from "../../../src/aggregate/Snapshots.ts"
import { Currency } from "../../../src/order/Money.ts"
import { LineId, ProductId } from "../../../src/order/OrderId.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import * as OrdersLocal from "../../../src/orders/OrdersLocal.ts"
import * as PriceLookup from "../../../src/orders/PriceLookup.ts"
import * as ProjectionLayers from "../../../src/projection/ProjectionLayers.ts"
import * as FaultyEventStore from "../../../src/testing/FaultyEventStore.ts"
import { catalogInMemory } from "../../../src/orders/OrdersLayers.ts"
import * as MemoryOrderQueries from "../../../src/views/order/MemoryOrderQueries.ts"
import {
  customers,
  euro,
  mugRequest,
  newOrderId,
  products,
  request,
  stock
} from "../../../harness/orders/BothOrders.ts"

import { patientCommands } from "../../../harness/clocks/Patience.ts"

type Store = EventStore["Service"]

/** The order service of a process of its own on this log. */
const processOn = (
  store: Store,
  catalog: Layer.Layer<Catalog, never, Aggregates | LogTail> = PriceLookup.layer,
  commandDeadline = patientCommands.commandDeadline
) =>
  Layer.build(
    Layer.fresh(OrdersLocal.layer).pipe(
      Layer.provideMerge(Layer.mergeAll(Layer.fresh(catalog), MemoryOrderQueries.layer, catalogInMemory)),
      Layer.provideMerge(Layer.merge(Commands.layer, ProjectionLayers.layerMemory)),
      Layer.provideMerge(Layer.fresh(Aggregates.layer)),
      Layer.provideMerge(Layer.merge(Layer.fresh(LogTail.layer), Snapshots.layerMemory)),
      Layer.provide(Layer.succeed(EventStore, store)),
      Layer.provide(Layer.succeed(AggregateLimits, { ...defaults, commandDeadline }))
    )
  )

/**
 * One process that is watched, which is told nothing of what the other one stores until its tail reads it: it never does
 * while `isBlind`.
 */
const shop = Effect.fnUntraced(function* (options: { readonly isBlind?: boolean } = {}) {
  const log = yield* MemoryEventStore.make({ soleWriter: false })
  const calls: Array<string> = []
  const faulty = FaultyEventStore.make(log, { losesHints: options.isBlind === true })
  const note =
    (name: string) =>
    <A, E>(call: Effect.Effect<A, E>) => {
      calls.push(name)
      return call
    }
  faulty.inject({
    append: note("append"),
    readStream: note("readStream"),
    currentVersion: note("currentVersion"),
    findCommand: note("findCommand"),
    ...(options.isBlind === true ? { readAll: () => Effect.never } : {})
  })
  const other = Context.get(yield* processOn(log), Orders)
  yield* stock(other)
  const services = yield* processOn(faulty.store)
  const orders = Context.get(services, Orders)
  yield* orders.place(request(newOrderId(0)))
  const callsOf = <A, E>(effect: Effect.Effect<A, E>) =>
    Effect.suspend(() => {
      calls.length = 0
      return Effect.map(effect, (answer) => ({ answer, calls: [...calls] }))
    })
  const ordered = (id: Parameters<typeof newOrderId>[0]) => other.at(newOrderId(id), 1)
  return { callsOf, log, orders, other, ordered, services }
})

const eventsOf = (log: Store, order: number) =>
  Effect.map(log.readStream(StreamId.make("order", newOrderId(order)), { after: 0, limit: 10 }), ({ events }) => events)

const book = ProductId.make("book")
const newId = { ...request(newOrderId(1)), orderId: undefined }
const { orderId: _, ...anonymous } = newId

describe("an order that is placed on what is remembered of the catalog", () => {
  it.live("asks for nothing: it is one append", () =>
    Effect.gen(function* () {
      const { callsOf, orders } = yield* shop({ isBlind: true })
      assert.deepStrictEqual((yield* callsOf(orders.place(anonymous))).calls, ["append"])
      const keyed = yield* callsOf(orders.place(anonymous, { idempotencyKey: "key" }))
      assert.deepStrictEqual(keyed.calls, ["append"])
      const line = { productId: products.mug, quantity: 1 }
      assert.deepStrictEqual((yield* callsOf(orders.addLine(newOrderId(0), line))).calls, ["append"])
    }).pipe(Effect.scoped)
  )

  it.live("is stored at the price of its commit, though this process has not seen that change", () =>
    Effect.gen(function* () {
      const { callsOf, ordered, orders, other } = yield* shop({ isBlind: true })
      yield* other.saveProduct(products.mug, { ...mugRequest, unitPrice: 7 })
      const placed = yield* callsOf(orders.place(request(newOrderId(1))))
      assert.strictEqual((yield* ordered(1)).lines[0]!.unitPrice, 7)
      assert.strictEqual(placed.calls.filter((call) => call === "append").length, 2)
      // What was read then is remembered.
      assert.deepStrictEqual((yield* callsOf(orders.place(anonymous))).calls, ["append"])
    }).pipe(Effect.scoped)
  )

  it.live("carries the customer's name of its commit", () =>
    Effect.gen(function* () {
      const { log, orders, other } = yield* shop({ isBlind: true })
      yield* other.saveCustomer(customers.ada, { name: "Ada King", email: "ada@example.org" })
      yield* orders.place(request(newOrderId(1)))
      assert.containSubset(yield* eventsOf(log, 1), [{ data: { customer: { name: "Ada King" } } }])
    }).pipe(Effect.scoped)
  )

  it.live("is refused once its product or customer is withdrawn, though this process has not seen that", () =>
    Effect.gen(function* () {
      const { log, orders, other } = yield* shop({ isBlind: true })
      yield* other.withdrawProduct(products.mug)
      assert.strictEqual((yield* Effect.flip(orders.place(request(newOrderId(1)))))._tag, "UnknownProduct")
      const line = { productId: products.mug, quantity: 1 }
      assert.strictEqual((yield* Effect.flip(orders.addLine(newOrderId(0), line)))._tag, "UnknownProduct")
      yield* other.saveProduct(products.mug, mugRequest)
      yield* other.withdrawCustomer(customers.ada)
      assert.strictEqual((yield* Effect.flip(orders.place(request(newOrderId(1)))))._tag, "UnknownCustomer")
      assert.strictEqual((yield* eventsOf(log, 1)).length, 0)
    }).pipe(Effect.scoped)
  )

  it.live("prices a further line at the commit", () =>
    Effect.gen(function* () {
      const { orders, other } = yield* shop({ isBlind: true })
      yield* other.saveProduct(products.mug, { ...mugRequest, unitPrice: 7 })
      const lineId = LineId.make("b")
      yield* orders.addLine(newOrderId(0), { productId: products.mug, quantity: 1, lineId })
      assert.strictEqual((yield* other.at(newOrderId(0), 2)).lines[1]!.unitPrice, 7)
    }).pipe(Effect.scoped)
  )

  it.live("hears from the tail that a price has changed, and then appends once", () =>
    Effect.gen(function* () {
      const { callsOf, ordered, orders, other, services } = yield* shop()
      yield* other.saveProduct(products.mug, { ...mugRequest, unitPrice: 7 })
      const { product } = Context.get(services, Catalog)
      // No guard tells it, since nothing is appended.
      yield* product(products.mug).pipe(
        Effect.delay("5 millis"),
        Effect.repeat({ until: ({ unitPrice }) => unitPrice === 7 })
      )
      const { calls } = yield* callsOf(orders.place(request(newOrderId(1))))
      assert.strictEqual(calls.filter((call) => call === "append").length, 1)
      assert.strictEqual((yield* ordered(1)).lines[0]!.unitPrice, 7)
    }).pipe(Effect.scoped)
  )
})

describe("what the catalog merely remembers refuses nothing:", () => {
  it.live("a product that was withdrawn, and a customer, can be ordered again at once", () =>
    Effect.gen(function* () {
      const { orders, other } = yield* shop({ isBlind: true })
      for (const change of [
        [other.withdrawProduct(products.mug), other.saveProduct(products.mug, mugRequest)],
        [other.withdrawCustomer(customers.ada), other.saveCustomer(customers.ada, { name: "Ada", email: "a@b.c" })]
      ] as const) {
        yield* change[0]
        yield* Effect.flip(orders.place(anonymous))
        yield* change[1]
        yield* orders.place(anonymous)
      }
    }).pipe(Effect.scoped)
  )

  it.live("a product that was sold in another currency", () =>
    Effect.gen(function* () {
      const { ordered, orders, other } = yield* shop({ isBlind: true })
      const dollars = Currency.make("USD")
      const order = request(newOrderId(1), { currency: dollars })
      const refused = yield* Effect.flip(orders.place(order))
      assert.strictEqual(refused._tag, "InvalidOrder")
      yield* other.saveProduct(products.mug, { ...mugRequest, currency: dollars })
      yield* orders.place(order)
      assert.strictEqual((yield* ordered(1)).currency, "USD")
    }).pipe(Effect.scoped)
  )

  it.live("a discount above the price of before, which only the order's own rules compare", () =>
    Effect.gen(function* () {
      const { ordered, orders, other } = yield* shop({ isBlind: true })
      const order = request(newOrderId(1), {
        lines: [{ productId: products.mug, quantity: 1, unitDiscount: 5_000, lineId: LineId.make("a") }]
      })
      assert.strictEqual((yield* Effect.flip(orders.place(order)))._tag, "InvalidOrder")
      yield* other.saveProduct(products.mug, { ...mugRequest, unitPrice: 9_000 })
      yield* orders.place(order)
      assert.strictEqual((yield* ordered(1)).lines[0]!.unitPrice, 9_000)
    }).pipe(Effect.scoped)
  )

  it.live("the same order again is the one that was placed, whatever it would cost today", () =>
    Effect.gen(function* () {
      const { orders, other } = yield* shop({ isBlind: true })
      const first = yield* orders.place(request(newOrderId(1)))
      yield* other.saveProduct(products.mug, { ...mugRequest, unitPrice: 7 })
      const again = yield* orders.place(request(newOrderId(1)))
      assert.deepStrictEqual([again.version, again.events], [first.version, []])
    }).pipe(Effect.scoped)
  )
})

it.live("a price that never holds still is a conflict that names the product, and nothing is stored", () =>
  Effect.gen(function* () {
    const log = yield* MemoryEventStore.make({ soleWriter: false })
    const other = Context.get(yield* processOn(log), Orders)
    yield* stock(other)
    let price = 1
    const faulty = FaultyEventStore.make(log)
    const change = Effect.suspend(() =>
      Effect.orDie(other.saveProduct(products.mug, { ...mugRequest, unitPrice: price++ }))
    )
    faulty.inject({ append: FaultyEventStore.after(change) })
    const orders = Context.get(yield* processOn(faulty.store, PriceLookup.layer, Duration.millis(300)), Orders)
    const error = yield* Effect.flip(orders.place(request(newOrderId(1))))
    assert.isAbove(price, 2)
    assert.containSubset(error, { _tag: "ConcurrencyConflict", streamId: "product-mug" })
    assert.strictEqual((yield* eventsOf(log, 1)).length, 0)
  }).pipe(Effect.scoped)
)

it.live("a catalog of the host's own, without guards, prices as it says, once", () =>
  Effect.gen(function* () {
    let quotes = 0
    const product = { name: "Mug", unitPrice: 3, currency: euro, taxBps: 0 }
    const own = Catalog.of({
      quote: () =>
        Effect.sync(() => {
          quotes += 1
          return { customer: { name: "Ada", email: "a@b.c" }, products: new Map([[book, product]]), shippingCost: 0 }
        }),
      product: () => Effect.succeed(product)
    })
    const log = yield* MemoryEventStore.make({ soleWriter: false })
    const orders = Context.get(yield* processOn(log, Layer.succeed(Catalog, own)), Orders)
    const lines = [{ productId: book, quantity: 1 }] as const
    yield* orders.place(request(newOrderId(1), { lines: [...lines] }))
    yield* orders.addLine(newOrderId(1), { productId: book, quantity: 1 })
    assert.strictEqual((yield* orders.at(newOrderId(1), 2)).lines[1]!.unitPrice, 3)
    assert.strictEqual(quotes, 1)
    assert.strictEqual((yield* Effect.flip(orders.place(request(newOrderId(2)))))._tag, "UnknownProduct")
    assert.strictEqual(quotes, 2)
  }).pipe(Effect.scoped)
)

it.live("hot products and customers keep no actor busy: a thousand placements ask none of them", () =>
  Effect.gen(function* () {
    const { callsOf, orders, services } = yield* shop({ isBlind: true })
    const placements = Effect.replicateEffect(orders.place(anonymous), 1_000, { concurrency: 64, discard: true })
    const { calls } = yield* callsOf(placements)
    assert.deepStrictEqual([...new Set(calls)], ["append"])
    const { version } = yield* Context.get(services, Aggregates).read(ProductAggregate, products.mug)
    assert.strictEqual(version, 1)
    assert.strictEqual((yield* Context.get(services, Aggregates).read(CustomerAggregate, customers.ada)).version, 1)
  }).pipe(Effect.scoped)
)
