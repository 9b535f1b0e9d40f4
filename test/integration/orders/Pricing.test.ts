/** Placing on PostgreSQL is priced from memory: one statement, and never from a log that was replaced. */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger } from "effect"
import { LogTail } from "../../../src/eventstore/tail/LogTail.ts"
import * as EventSourcing from "../../../src/kernel/EventSourcing.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import * as OrdersLayers from "../../../src/orders/OrdersLayers.ts"
import { restoreLog } from "../../../harness/faults/RestoredLog.ts"
import { mugRequest, newOrderId, products, request, stock } from "../../../harness/orders/BothOrders.ts"
import * as StatementRecorder from "../../../harness/servers/StatementRecorder.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"

/** Nobody reads the log for a view. */
const processOn = (url: string) =>
  Layer.build(
    OrdersLayers.layerNoDeps.pipe(Layer.provideMerge(Layer.fresh(EventSourcing.layerPostgres(url, patientConnections))))
  )

it.live("an order on a catalog that is known is one append, and nothing else is asked", () => {
  const recorder = StatementRecorder.make()
  return Effect.gen(function* () {
    const orders = Context.get(yield* processOn(yield* freshDatabase), Orders)
    yield* stock(orders)
    yield* orders.place(request(newOrderId(1)))
    const { orderId: _, ...anonymous } = request(newOrderId(1))
    const place = Effect.replicateEffect(orders.place(anonymous), 20, { discard: true })
    const asked = yield* recorder.of(place)
    assert.deepStrictEqual(
      asked.filter((text) => !/ordinal\.append_/.test(text)),
      []
    )
    assert.lengthOf(asked, 20)
    // What is asked for beside an append is seen: this order's version is.
    const known = yield* recorder.of(orders.place(request(newOrderId(1))))
    assert.notStrictEqual(known.length, 0)
  }).pipe(Effect.withTracer(recorder.tracer))
})

it.live("a price of a log that was replaced is forgotten, also if the product is at the same version again", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const services = yield* processOn(url)
    const orders = Context.get(services, Orders)
    const tail = Context.get(services, LogTail)
    yield* stock(orders)
    yield* orders.place(request(newOrderId(1)))
    const timeline = yield* tail.timeline
    yield* Effect.provideContext(restoreLog(0n), services)
    const other = Context.get(yield* processOn(url), Orders)
    yield* other.saveCustomer(request(newOrderId(1)).customerId, { name: "Ada King", email: "ada@example.org" })
    const { version } = yield* other.saveProduct(products.mug, { ...mugRequest, unitPrice: 7 })
    assert.strictEqual(version, 1)
    yield* tail.timeline.pipe(Effect.delay("20 millis"), Effect.repeat({ until: (now) => now > timeline }))
    yield* orders.place(request(newOrderId(2)))
    assert.strictEqual((yield* other.at(newOrderId(2), 1)).lines[0]!.unitPrice, 7)
  }).pipe(Effect.provide(Logger.layer([])))
)
