/** A command whose source may send it again much later: its refusal is kept as its receipt is, and both for as long as asked. */
import { assert, layer as withLayer } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import { refusalIn } from "../../../src/aggregate/idempotency/Commands.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import { OrderNotFound } from "../../../src/order/OrderRejection.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import * as OrdersLayers from "../../../src/orders/OrdersLayers.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"
import { newOrderId, request, stock } from "../../../harness/orders/BothOrders.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"

const keepRefusal = (error: unknown) => (error instanceof OrderNotFound ? { not: "found" } : undefined)

const onPostgres = Layer.unwrap(Effect.map(freshDatabase, (url) => OrdersLayers.layerPostgres(url, patientConnections)))

for (const [name, layer] of [
  ["in memory", Layer.fresh(OrdersLayers.layerMemory)],
  ["on PostgreSQL", onPostgres]
] as const) {
  withLayer(layer, { excludeTestServices: true, timeout: "60 seconds" })(`kept refusals ${name}`, (it) => {
    it.effect("a command that was refused is not decided again", () =>
      Effect.gen(function* () {
        const orders = yield* Orders
        yield* stock(orders)
        const order = newOrderId(1)
        const options = { idempotencyKey: "kept", keepRefusal }
        assert.instanceOf(yield* Effect.flip(orders.confirm(order, options)), OrderNotFound)
        yield* orders.place(request(order))
        const again = yield* orders.confirm(order, options)
        assert.deepStrictEqual(refusalIn(again), { not: "found" })
        assert.isTrue(again.replayed)
        assert.lengthOf(yield* orders.history(order), 1)
        // Another key is another command; without the option, nothing of a refusal is kept.
        const other = newOrderId(2)
        yield* Effect.flip(orders.confirm(other, { idempotencyKey: "forgotten" }))
        yield* orders.place(request(other))
        const accepted = yield* orders.confirm(other, { idempotencyKey: "forgotten" })
        assert.isUndefined(refusalIn(accepted))
        assert.isFalse(accepted.replayed)
      })
    )

    it.effect(
      "a refusal stands in the way of a twin that was decided later, and gives way to one that was accepted",
      () =>
        Effect.gen(function* () {
          const orders = yield* Orders
          const order = newOrderId(3)
          // The first one is refused; before this is kept, the order is placed and a twin is accepted.
          const meddling = {
            idempotencyKey: "twins",
            keepRefusal: (error: unknown) => {
              assert.instanceOf(error, OrderNotFound)
              return { not: "found" }
            }
          }
          const refused = orders.confirm(order, meddling)
          assert.instanceOf(yield* Effect.flip(refused), OrderNotFound)
          yield* orders.place(request(order))
          const twin = yield* orders.confirm(order, { idempotencyKey: "twins" })
          assert.deepStrictEqual(refusalIn(twin), { not: "found" })

          const next = newOrderId(4)
          yield* orders.place(request(next))
          const accepted = yield* orders.confirm(next, { idempotencyKey: "accepted" })
          const repeated = yield* orders.confirm(next, { idempotencyKey: "accepted", keepRefusal })
          assert.strictEqual(repeated.commandId, accepted.commandId)
          assert.isUndefined(refusalIn(repeated))
        })
    )

    it.effect("a key is kept for as long as its source asks", () =>
      Effect.gen(function* () {
        const orders = yield* Orders
        const log = yield* EventStore
        const order = newOrderId(5)
        const placed = yield* orders.place(request(order), { idempotencyKey: "brief" })
        const kept = yield* orders.confirm(order, { idempotencyKey: "long", keepKey: Duration.days(7) })
        const forEver = yield* orders.confirm(order, { idempotencyKey: "ever", keepKey: Duration.infinity })
        assert.notProperty(kept, "keepUntil")
        while ((yield* log.findCommand(placed.commandId)) !== undefined) yield* log.forgetCommands(Duration.zero, 2)
        assert.isUndefined(yield* log.findCommand(placed.commandId))
        assert.isDefined(yield* log.findCommand(kept.commandId))
        const again = yield* orders.confirm(order, { idempotencyKey: "long", keepKey: Duration.days(7) })
        assert.deepStrictEqual({ ...again, replayed: false }, kept)
        assert.isDefined(yield* log.findCommand(forEver.commandId))
        const over = yield* orders.confirm(order, { idempotencyKey: "over", keepKey: Duration.seconds(-5) })
        while ((yield* log.findCommand(over.commandId)) !== undefined) yield* log.forgetCommands(Duration.zero, 2)
        assert.isUndefined(yield* log.findCommand(over.commandId))
      })
    )
  })
}
