import { assert, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { HttpServerRequest, HttpServerResponse } from "effect/http"
import * as HttpHeaders from "../../../../src/http/api/HttpHeaders.ts"
import { OrderReceipt } from "../../../../src/http/api/Receipt.ts"
import * as Reply from "../../../../src/http/handlers/Reply.ts"
import { OrderId } from "../../../../src/order/OrderId.ts"
import * as CheckedOrders from "../../../../src/orders/CheckedOrders.ts"
import type { Orders } from "../../../../src/orders/Orders.ts"
import type { Receipt } from "../../../../src/orders/Receipt.ts"
import * as OrderAnswer from "../../../../src/views/order/OrderAnswer.ts"

const receipt: Receipt = {
  orderId: OrderId.make("ord_01890000-0000-7000-8000-000000000000"),
  version: 2,
  position: 17n,
  commandId: "0189aaaa-0000-7000-8000-000000000000",
  events: ["order.placed.v1", "order.confirmed.v1"],
  status: "confirmed",
  paymentStatus: "unpaid",
  token: "17.0123456789ab",
  replayed: false
}

it("puts the orders of a page together once, and anew for another prefix", () => {
  const { orderId } = receipt
  const orders = [{ orderId, version: 1, text: `{"orderId":"${orderId}","version":1,"allowed":[]}`, allowed: "" }]
  const freshness = { position: 17n, behind: 0, lag: 0, parked: 0, token: receipt.token }
  const page = () => OrderAnswer.page(orders, { hasMore: false, freshness, token: receipt.token })
  const bodyUnder = (root: string) => Reply.readyOrders(root, page(), { url: "/orders" }, {})!.text
  const linkOf = (body: string | Uint8Array) =>
    JSON.parse(new TextDecoder().decode(body as Uint8Array)).data[0].links.self
  const first = bodyUnder("")
  assert.strictEqual(bodyUnder(""), first)
  assert.deepStrictEqual([first, bodyUnder("/shop")].map(linkOf), [`/orders/${orderId}`, `/shop/orders/${orderId}`])
})

const request = HttpServerRequest.fromWeb(new Request("http://localhost/orders", { method: "POST" }))
const decoded = { onExcessProperty: "error" } as const

it.effect("answers a receipt in the bytes and headers of the API's definition", () =>
  Effect.gen(function* () {
    // The service that `CheckedOrders` is given is one of this program.
    const orders = {} as Orders["Service"]
    CheckedOrders.make(orders)
    const answers = [
      { receipt, creates: true, only: { location: `/orders/${receipt.orderId}` } },
      { receipt: { ...receipt, replayed: true }, creates: false, only: { "idempotent-replayed": "true" } },
      { receipt: { ...receipt, events: [] }, creates: true, only: {} }
    ]
    for (const { creates, only, receipt } of answers) {
      const response = yield* Reply.ofCommand(orders, receipt, undefined, creates)
      assert.isTrue(HttpServerResponse.isHttpServerResponse(response))
      const web = HttpServerResponse.toWeb(response as HttpServerResponse.HttpServerResponse)
      const text = yield* Effect.promise(() => web.text())
      const body = Schema.decodeUnknownSync(OrderReceipt, decoded)(JSON.parse(text))
      assert.strictEqual(JSON.stringify(Schema.encodeSync(OrderReceipt)(body)), text)
      const { "content-length": length, "content-type": type, ...own } = Object.fromEntries(web.headers)
      assert.deepStrictEqual([web.status, type, length], [202, "application/json", String(text.length)])
      const headers = Schema.Struct(HttpHeaders.receipt)
      assert.deepStrictEqual(Schema.decodeUnknownSync(headers, decoded)(own), {
        etag: '"2"',
        "consistency-token": receipt.token,
        link: `</events?orderId=${receipt.orderId}>; rel="monitor"`,
        ...only
      } as typeof headers.Type)
    }
  }).pipe(Effect.provideService(HttpServerRequest.HttpServerRequest, request))
)
