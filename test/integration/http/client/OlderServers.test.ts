/** A new client reads what an older server answers: here the answers of today's lose the members that came later. */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { FetchHttpClient, HttpClient, type HttpClientResponse } from "effect/http"
import { bothOrders, newOrderId, request, served, stock } from "../../../../harness/orders/BothOrders.ts"
import * as OrdersClient from "../../../../src/http/client/OrdersClient.ts"
import { PaymentId } from "../../../../src/order/OrderId.ts"
import { Orders } from "../../../../src/orders/Orders.ts"

const without = (bytes: ArrayBuffer): ArrayBuffer => {
  const text = new TextDecoder().decode(bytes).replaceAll(/"(returned|owed)":\d+,(?=[^{}]*"balanceDue")/g, "")
  const older = text.includes("/problems/payment-closed") ? text.replace(/,"command":"\w+"/, "") : text
  return new TextEncoder().encode(older).buffer
}

const ofOlderServer = HttpClient.transformResponse(
  Effect.map((response: HttpClientResponse.HttpClientResponse) =>
    Object.create(response, { arrayBuffer: { value: Effect.map(response.arrayBuffer, without) } })
  )
)

it.live("orders and refusals of a server from before `owed` are read, with what that server asked for", () =>
  Effect.gen(function* () {
    const { local } = yield* bothOrders()
    yield* stock(local)
    const layer = OrdersClient.layerNoDeps({ baseUrl: yield* served(local), retries: 0 }).pipe(
      Layer.provide(Layer.effect(HttpClient.HttpClient, Effect.map(HttpClient.HttpClient, ofOlderServer))),
      Layer.provide(FetchHttpClient.layer)
    )
    const remote = Context.get(yield* Layer.build(layer), Orders)
    const [id, cancelled] = [newOrderId(1), newOrderId(2)]
    yield* local.place(request(cancelled))
    yield* local.cancel(cancelled, { reason: "customer_request" })
    const { token } = yield* local.place(request(id, { confirm: true }))
    const { order } = yield* remote.get(id, { token })
    const { returned: _, ...totals } = order.totals
    assert.deepInclude(totals, { owed: totals.total })
    assert.deepStrictEqual(order, (yield* local.get(id)).order)
    const { orders } = yield* remote.list({}, { token })
    assert.deepStrictEqual(orders, (yield* local.list({}, { token })).orders)

    const paymentId = PaymentId.make("p")
    yield* local.authorizePayment(id, { paymentId, amount: 100 })
    yield* local.voidPayment(id, paymentId)
    for (const refused of [remote.capturePayment(id, paymentId, {}), remote.refundPayment(id, paymentId, {})]) {
      const { _tag, message } = yield* Effect.flip(refused)
      assert.strictEqual(_tag, "PaymentClosed")
      assert.include(message, "voided")
    }
    const { message } = yield* Effect.flip(remote.refundPayment(id, paymentId, {}))
    assert.include(message, "holds no money")
  })
)
