/** What an order needs before it is shipped is decided once: when it is placed, or by the log for orders from before. */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger } from "effect"
import { Database } from "../../../src/database/Database.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import * as StreamId from "../../../src/eventstore/StreamId.ts"
import { OrderAggregate } from "../../../src/order/OrderAggregate.ts"
import type { ShipRequires } from "../../../src/order/OrderEvent.ts"
import { OrderId } from "../../../src/order/OrderId.ts"
import { defaultPolicies, OrderPolicies } from "../../../src/order/OrderPolicies.ts"
import * as OrdersLayers from "../../../src/orders/OrdersLayers.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import { append, entry, uuid } from "../../../src/testing/EventStoreEntries.ts"
import { placeOrder } from "../../../src/testing/OrderCommands.ts"
import { trace } from "../../../src/testing/Trace.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"
import { newOrderId, request, stock } from "../../../harness/orders/BothOrders.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"

type Services = Orders | EventStore | Database

/** A process with this setting, and what it logs. */
const process = Effect.fnUntraced(function* (url: string, shipRequires: ShipRequires) {
  const lines: Array<string> = []
  const logger = Logger.make(({ message }) => void lines.push(String(message)))
  const context = yield* Layer.build(
    Layer.fresh(OrdersLayers.layerPostgres(url, patientConnections)).pipe(
      Layer.provide(Layer.succeed(OrderPolicies, { ...defaultPolicies, shipRequires })),
      Layer.provide(Logger.layer([logger]))
    )
  )
  const run = <A, E>(effect: Effect.Effect<A, E, Services>) => Effect.provideContext(effect, context)
  return {
    orders: Context.get(context, Orders),
    run,
    told: () => lines.filter((line) => line.includes("shipRequires"))
  }
})

/** Stores an order as a program did that did not keep the policy in it. */
const placedLongAgo = Effect.fnUntraced(function* (orderId: OrderId) {
  const { events } = trace(OrderAggregate.decider, [{ ...placeOrder, orderId, confirm: true }])
  const stored = events.map((event) => {
    const { data, schemaVersion, type } = OrderAggregate.codec.encode(event)
    const { shipRequires: _, ...old } = data as Readonly<Record<string, unknown>>
    return { eventId: uuid(), type, schemaVersion, data: old }
  })
  const [outcome] = yield* append(entry(StreamId.make("order", orderId), 0, { events: stored }))
  assert.strictEqual(outcome?._tag, "Accepted")
})

it.live("an order keeps the policy it was placed under, and an older one that of its log, in every process", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const [old, captured, confirmed] = [newOrderId(1), newOrderId(2), newOrderId(3)]
    const shipping = (orders: Orders["Service"], orderId: OrderId) =>
      Effect.match(orders.ship(orderId, {}), {
        onFailure: (error) => (error._tag === "PaymentRequiredBeforeShipment" ? error.required : error._tag),
        onSuccess: ({ status }) => status
      })

    const strict = yield* process(url, "captured")
    yield* stock(strict.orders)
    yield* strict.orders.placeAndWait(request(captured, { confirm: true }), { wait: "30 seconds" })
    assert.deepStrictEqual(strict.told(), [])

    const easy = yield* process(url, "confirmed")
    assert.match(easy.told().join(), /placed under shipRequires "captured", and this process has "confirmed"/)
    yield* easy.run(placedLongAgo(old))
    const { token } = yield* easy.orders.placeAndWait(request(confirmed, { confirm: true }), { wait: "30 seconds" })

    for (const { orders } of [strict, easy, yield* process(url, "authorized")]) {
      assert.strictEqual(yield* shipping(orders, captured), "captured")
      assert.strictEqual(yield* shipping(orders, old), "captured")
      for (const orderId of [captured, old]) {
        const { order } = yield* orders.get(orderId, { token, wait: "30 seconds" })
        assert.notInclude(order.allowed, "ShipItems")
        assert.deepStrictEqual((yield* orders.at(orderId, 2)).allowed, order.allowed)
      }
      assert.include((yield* orders.at(confirmed, 2)).allowed, "ShipItems")
    }
    assert.strictEqual(yield* shipping(strict.orders, confirmed), "shipped")
    const again = yield* process(url, "confirmed")
    assert.deepStrictEqual(again.told(), [])
  })
)

it.live("of processes that start at once, one decides the policy of older orders for all", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const settings = ["captured", "authorized", "confirmed", "captured"] as const
    const processes = yield* Effect.forEach(settings, (setting) => process(url, setting), { concurrency: 4 })
    const kept = yield* Effect.forEach(processes, ({ run }) =>
      run(Effect.flatMap(Database, ({ reads }) => reads`SELECT ordinal.founding_ship_requires('confirmed') AS kept`))
    )
    assert.strictEqual(new Set(kept.map((rows) => JSON.stringify(rows))).size, 1)
    yield* processes[0]!.run(placedLongAgo(newOrderId(1)))
    const outcomes = yield* Effect.forEach(processes, ({ orders }) => Effect.exit(orders.at(newOrderId(1), 2)))
    assert.strictEqual(new Set(outcomes.map((outcome) => JSON.stringify(outcome))).size, 1)
  })
)
