/** Numbers that are no version, limit or position: answered alike by every service, and never with a defect. */
import { assert, describe, layer as withLayer } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Orders } from "../../../src/orders/Orders.ts"
import { VersionNotFound } from "../../../src/orders/OrdersError.ts"
import { newOrderId, request, stock } from "../../../harness/orders/BothOrders.ts"
import { orderServices } from "../../../harness/orders/OrderServices.ts"
import { longestWait } from "../../../harness/clocks/Patience.ts"

const [orderId, none] = [newOrderId(1), newOrderId(2)]
const large = [2 ** 31, 2 ** 40, 2 ** 53, 2 ** 70, Infinity]
const small = [0, -1, -(2 ** 70), -Infinity]

/** An order of versions 1 and 2. */
const placed = Effect.gen(function* () {
  const orders = yield* Orders
  yield* stock(orders)
  const { token } = yield* orders.place(request(orderId, { confirm: true, lines }), { idempotencyKey: "once" })
  const patient = { token, ...longestWait }
  yield* orders.list({}, patient)
  yield* orders.awaitCatalog(token, patient)
  return { orders, token }
})
const { lines } = request(orderId)

describe.each(Object.entries(orderServices))("the order service %s", (_, layer) => {
  withLayer(layer, { excludeTestServices: true })((it) => {
    it.effect("has no order at a version that is none", () =>
      Effect.gen(function* () {
        const { orders } = yield* placed
        assert.strictEqual((yield* orders.at(orderId, 2)).version, 2)
        for (const version of [...large, ...small, NaN, 1.5, Number.MIN_VALUE]) {
          const missing = yield* Effect.flip(orders.at(orderId, version))
          assert.deepStrictEqual(missing, VersionNotFound.of(orderId, version))
          assert.strictEqual((yield* Effect.flip(orders.at(none, version)))._tag, "OrderNotFound")
        }
      })
    )

    it.effect("takes what it is asked of a history or a list as the nearest that there is", () =>
      Effect.gen(function* () {
        const { orders, token } = yield* placed
        const history = (part: { readonly after?: number; readonly limit?: number }) =>
          Effect.map(orders.history(orderId, part), (events) => events.map(({ version }) => version))
        const lengths = (limit: number) =>
          Effect.gen(function* () {
            const { orders: listed } = yield* orders.list({ limit }, { token })
            const { products } = yield* orders.products({ limit }, { token })
            return [listed.length, products.length]
          })
        for (const number of large) {
          assert.deepStrictEqual([yield* history({ after: number }), yield* history({ limit: number })], [[], [1, 2]])
          assert.deepStrictEqual(yield* lengths(number), [1, 1])
        }
        for (const number of small) {
          assert.deepStrictEqual([yield* history({ after: number }), yield* history({ limit: number })], [[1, 2], [1]])
          assert.deepStrictEqual(yield* lengths(number), [1, 1])
        }
        assert.deepStrictEqual([yield* history({ after: 1.5 }), yield* history({ limit: 1.5 })], [[2], [1]])
        assert.deepStrictEqual(
          [yield* history({ after: NaN }), yield* history({ limit: NaN })],
          [
            [1, 2],
            [1, 2]
          ]
        )
        assert.deepStrictEqual(yield* lengths(NaN), [1, 1])
      })
    )

    it.effect("has no events after a position that is none", () =>
      Effect.gen(function* () {
        const { orders } = yield* placed
        for (const after of [-1n, -(2n ** 70n), 2n ** 31n, 2n ** 53n, 2n ** 63n, 2n ** 70n]) {
          const refused = yield* Effect.flip(Stream.runDrain(orders.events({ after })))
          assert.containSubset(refused, { _tag: "InvalidPosition", position: after })
        }
      })
    )
  })
})
