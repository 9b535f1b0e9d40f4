/**
 * A caller's mistake in process fails with the same `InvalidRequest` as over HTTP, does nothing, and is nobody else's
 * trouble.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { InvalidRequest } from "../../../src/aggregate/InvalidRequest.ts"
import { call } from "../../../harness/clients/HttpClient.ts"
import {
  bothOrders,
  home,
  mugRequest,
  newOrderId,
  products,
  request,
  type Service,
  served,
  stock
} from "../../../harness/orders/BothOrders.ts"

const orderId = newOrderId(1)
const customerId = "ada"
const bad = "no such id!"
const items = [{ lineId: "a", quantity: 0 }]

/** The same mistake, for the method in process and as a request. What types forbid is done by programs without them. */
const mistakes: ReadonlyArray<
  readonly [name: string, args: ReadonlyArray<unknown>, http: readonly [string, string, unknown?]]
> = [
  ["place", [{ ...request(orderId), lines: [] }], ["POST", "/orders", { ...request(orderId), lines: [] }]],
  [
    "place",
    [{ ...request(orderId), lines: [{ productId: "mug", quantity: 1.5 }] }],
    ["POST", "/orders", { ...request(orderId), lines: [{ productId: "mug", quantity: 1.5 }] }]
  ],
  ["placeAndWait", [{ ...request(orderId), extra: 1 }], ["POST", "/orders", { ...request(orderId), extra: 1 }]],
  ["addLine", [orderId, { productId: "mug" }], ["POST", `/orders/${orderId}/lines`, { productId: "mug" }]],
  ["changeLineQuantity", [orderId, "a", { quantity: -3 }], ["PATCH", `/orders/${orderId}/lines/a`, { quantity: -3 }]],
  ["removeLine", [orderId, bad], ["DELETE", `/orders/${orderId}/lines/${encodeURIComponent(bad)}`]],
  [
    "changeShippingAddress",
    [orderId, { ...home, country: "Britain" }],
    ["PUT", `/orders/${orderId}/shipping-address`, { ...home, country: "Britain" }]
  ],
  ["confirm", ["17"], ["POST", "/orders/17/confirm"]],
  ["cancel", [orderId, { reason: "\u0000" }], ["POST", `/orders/${orderId}/cancel`, { reason: "\u0000" }]],
  ["cancelItems", [orderId, { items }], ["POST", `/orders/${orderId}/cancel-items`, { items }]],
  ["ship", [orderId, { itmes: items }], ["POST", `/orders/${orderId}/shipments`, { itmes: items }]],
  ["deliver", [orderId, bad], ["POST", `/orders/${orderId}/shipments/${encodeURIComponent(bad)}/deliver`]],
  ["returnItems", [orderId, { items }], ["POST", `/orders/${orderId}/returns`, { items }]],
  ["authorizePayment", [orderId, { amount: 0 }], ["POST", `/orders/${orderId}/payments`, { amount: 0 }]],
  [
    "capturePayment",
    [orderId, "p", { amount: 1e300 }],
    ["POST", `/orders/${orderId}/payments/p/capture`, { amount: 1e300 }]
  ],
  ["voidPayment", [orderId, bad], ["POST", `/orders/${orderId}/payments/${encodeURIComponent(bad)}/void`]],
  [
    "refundPayment",
    [orderId, "p", { reason: null }],
    ["POST", `/orders/${orderId}/payments/p/refund`, { reason: null }]
  ],
  ["get", ["17"], ["GET", "/orders/17"]],
  ["list", [{ filter: { status: ["lost"] } }], ["GET", "/orders?status=lost"]],
  ["counts", [{ customerId: bad }], ["GET", `/orders/counts?customerId=${encodeURIComponent(bad)}`]],
  ["history", ["17"], ["GET", "/orders/17/events"]],
  ["at", ["17", 1], ["GET", "/orders/17/versions/1"]],
  ["subscribe", [{ customerId: bad }], ["GET", `/events?customerId=${encodeURIComponent(bad)}`]],
  ["saveProduct", ["mug", { ...mugRequest, taxBps: 0.5 }], ["PUT", "/products/mug", { ...mugRequest, taxBps: 0.5 }]],
  ["withdrawProduct", [bad], ["DELETE", `/products/${encodeURIComponent(bad)}`]],
  ["product", [bad], ["GET", `/products/${encodeURIComponent(bad)}`]],
  ["saveCustomer", ["ada", { name: "" }], ["PUT", "/customers/ada", { name: "" }]],
  ["withdrawCustomer", [bad], ["DELETE", `/customers/${encodeURIComponent(bad)}`]],
  ["customer", [bad], ["GET", `/customers/${encodeURIComponent(bad)}`]]
]

/** Calls a method with what its types may forbid. */
const invoke = (orders: Service, name: string, args: ReadonlyArray<unknown>) =>
  Effect.scoped(
    (orders as unknown as Record<string, (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>>)[name]!(
      ...args
    )
  )

const refused = (orders: Service, name: string, args: ReadonlyArray<unknown>) =>
  Effect.map(Effect.flip(invoke(orders, name, args)), (error) => error as InvalidRequest)

describe("a mistake of a caller", () => {
  it.live("is refused by every method with the errors that HTTP answers, in process and from afar", () =>
    Effect.gen(function* () {
      const { local, remote } = yield* bothOrders()
      yield* stock(local)
      const url = yield* served(local)
      for (const [name, args, [method, path, body]] of mistakes) {
        const answer = yield* Effect.promise(() => call(url, method, path, { body }))
        assert.deepStrictEqual([answer.status, answer.body.type], [400, "/problems/invalid-request"], name)
        for (const orders of [local, remote]) {
          const error = yield* refused(orders, name, args)
          assert.strictEqual(error._tag, "InvalidRequest", name)
          assert.deepStrictEqual(error.errors, answer.body.errors, name)
        }
      }
      const stream = yield* Effect.flip(Stream.runDrain(local.events({ orderId: "17" })))
      assert.strictEqual(stream._tag, "InvalidRequest")
    })
  )

  it.live("never suspends the order, nor does an option that can't be stored", () =>
    Effect.gen(function* () {
      const { local } = yield* bothOrders()
      yield* stock(local)
      yield* local.place(request(orderId))
      for (let count = 0; count < 10; count++) {
        yield* refused(local, "returnItems", [orderId, { items }])
        for (const options of [
          { actor: "\u0000" },
          { correlationId: "\ud800" },
          { precondition: 1.5 },
          { idempotencyKey: `key-${count}`, actor: "\u0000" }
        ]) {
          const error = yield* refused(local, "confirm", [orderId, options])
          assert.strictEqual(error._tag, "InvalidRequest", JSON.stringify(options))
        }
      }
      const { version } = yield* local.addLine(orderId, { productId: products.mug, quantity: 1 })
      assert.strictEqual(version, 2)
    })
  )

  it.live("in a misspelt member ships nothing", () =>
    Effect.gen(function* () {
      const { local } = yield* bothOrders()
      yield* stock(local)
      const { token } = yield* local.place(request(orderId, { confirm: true }))
      const error = yield* refused(local, "ship", [orderId, { itmes: [{ lineId: "a", quantity: 1 }] }])
      assert.deepStrictEqual(error.errors, [{ path: "itmes", message: "is unknown here; did you mean items?" }])
      assert.strictEqual((yield* local.get(orderId, { token })).order.shipments.length, 0)
      assert.strictEqual(customerId, (yield* local.get(orderId)).order.customerId)
    })
  )
})
