/** Placing on PostgreSQL is priced from memory: one statement, and never from a log that was replaced. */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger, Tracer } from "effect"
import { LogTail } from "../../../src/eventstore/tail/LogTail.ts"
import * as EventSourcing from "../../../src/kernel/EventSourcing.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import * as OrdersLayers from "../../../src/orders/OrdersLayers.ts"
import { restoreLog } from "../../../harness/faults/RestoredLog.ts"
import { mugRequest, newOrderId, products, request, stock } from "../../../harness/orders/BothOrders.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"

/** Nobody reads the log for a view. */
const processOn = (url: string) =>
  Layer.build(
    OrdersLayers.layerNoDeps.pipe(Layer.provideMerge(Layer.fresh(EventSourcing.layerPostgres(url, patientConnections))))
  )

it.live("an order on a catalog that is known is one append, and nothing else is asked", () => {
  const statements: Array<string> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      const attribute = span.attribute.bind(span)
      span.attribute = (key, value) => {
        if (key === "db.query.text") statements.push(String(value))
        attribute(key, value)
      }
      return span
    }
  })
  return Effect.gen(function* () {
    const orders = Context.get(yield* processOn(yield* freshDatabase), Orders)
    yield* stock(orders)
    yield* orders.place(request(newOrderId(1)))
    const { orderId: _, ...anonymous } = request(newOrderId(1))
    statements.length = 0
    for (let count = 0; count < 20; count++) yield* orders.place(anonymous)
    // Beside the placements and not before them, the tail reads the log, other processes are told, and views are kept.
    const beside = /text_before|NOTIFY|pg_notify|ordinal\.(checkpoints|rebuilds|parked_streams)/
    const asked = statements.filter((text) => !beside.test(text))
    assert.deepStrictEqual(
      asked.filter((text) => !/ordinal\.append_/.test(text)),
      []
    )
    assert.lengthOf(asked, 20)
  }).pipe(Effect.withTracer(tracer))
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
