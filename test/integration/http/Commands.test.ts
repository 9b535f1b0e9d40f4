import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { placement } from "../../../harness/fixtures/Shop.ts"
import { withCatalog } from "../../../harness/clients/CheckedClient.ts"
import { start, type TestServer } from "../../../harness/servers/ApiServer.ts"

let server: TestServer
beforeAll(async () => {
  server = await withCatalog(await start())
})
afterAll(() => server.stop())

const place = async (extra: object = {}) =>
  (await server.send("POST", "/orders", placement(extra))).body.orderId as string

describe("commands over HTTP", () => {
  it("answers 202 with a receipt, and says where the order will be", async () => {
    const { body, headers, status } = await server.send("POST", "/orders", placement())
    assert.strictEqual(status, 202)
    const { commandId, orderId, position, ...rest } = body
    assert.deepStrictEqual(rest, {
      version: 2,
      events: ["order.placed.v1", "order.confirmed.v1"],
      status: "confirmed",
      paymentStatus: "unpaid",
      links: { self: `/orders/${orderId}`, monitor: `/events?orderId=${orderId}` }
    })
    assert.match(commandId, /^[0-9a-f-]{36}$/)
    assert.strictEqual(typeof position, "number")
    assert.strictEqual(headers.get("location"), `/orders/${orderId}`)
    assert.strictEqual(headers.get("etag"), '"2"')
    assert.strictEqual(headers.get("link"), `</events?orderId=${orderId}>; rel="monitor"`)
    assert.match(headers.get("consistency-token") ?? "", new RegExp(`^${position}\\.`))
  })

  it("answers 201 with the order if the caller waits for the view", async () => {
    const { body, headers, status } = await server.send("POST", "/orders", placement(), { prefer: "wait=30" })
    assert.strictEqual(status, 201)
    assert.deepStrictEqual([body.status, body.totals.total], ["confirmed", 2975])
    assert.strictEqual(headers.get("preference-applied"), "wait=30")
    assert.strictEqual(headers.get("location"), `/orders/${body.orderId}`)
    assert.strictEqual(headers.get("etag"), '"2"')
    assert.match(headers.get("freshness") ?? "", /^position=\d+, behind=0, lag=[\d.]+, parked=0$/)
  })

  it("has a Location only where something was created", async () => {
    const orderId = "ord_0199aaaa-0000-7000-8000-00000000beef"
    const place = (headers = {}) => server.send("POST", "/orders", placement({ orderId, confirm: false }), headers)
    assert.strictEqual((await place()).headers.get("location"), `/orders/${orderId}`)
    const order = `/orders/${orderId}`
    const later = [
      await place(),
      await place({ prefer: "wait=30" }),
      await server.send("POST", `${order}/lines`, { productId: "mug", quantity: 1, lineId: "more" }),
      await server.send("POST", `${order}/lines`, { productId: "mug", quantity: 1, lineId: "more" }),
      await server.send("POST", `${order}/confirm`, {}, { prefer: "wait=30" }),
      await server.send("POST", `${order}/shipments`, { shipmentId: "s" }),
      await server.send("POST", `${order}/shipments/s/deliver`)
    ]
    for (const { headers, status, text } of later) {
      assert.include([200, 201, 202], status, text)
      assert.isNull(headers.get("location"), text)
    }
  })

  it("that finds nothing left says where the order tells what is possible", async () => {
    const { body } = await server.send("POST", "/orders", placement())
    await server.send("POST", `/orders/${body.orderId}/shipments`, {})
    const again = await server.send("POST", `/orders/${body.orderId}/shipments`, { carrier: "another" })
    assert.deepStrictEqual([again.status, again.body.items], [409, []])
    assert.include(again.body.detail, '"allowed" says what is possible')
  })

  it("answers 200 with the order to any other command that waits", async () => {
    const id = await place()
    const { body, headers, status } = await server.send("POST", `/orders/${id}/shipments`, {}, { prefer: "wait=30" })
    assert.deepStrictEqual([status, body.status, headers.get("etag")], [200, "shipped", '"3"'])
  })

  it("takes no body, an empty object, or nothing where nothing is required", async () => {
    const id = await place({ confirm: false })
    assert.strictEqual((await server.send("POST", `/orders/${id}/confirm`)).status, 202)
    assert.strictEqual((await server.send("POST", `/orders/${id}/confirm`, {})).status, 202)
    assert.strictEqual((await server.send("POST", `/orders/${id}/shipments`)).body.status, "shipped")
  })

  it("refuses a body where none is taken", async () => {
    const answer = await server.send("POST", `/orders/${await place()}/confirm`, { force: true })
    assert.deepStrictEqual([answer.status, answer.body.type], [400, "/problems/invalid-request"])
  })

  it("goes through the life of an order", async () => {
    const id = await place({ confirm: false, lines: [{ productId: "mug", quantity: 3, lineId: "a" }] })
    const at = (path: string) => `/orders/${id}${path}`
    const steps: ReadonlyArray<readonly [string, string, object | undefined, string]> = [
      ["POST", "/lines", { productId: "mug", quantity: 1, lineId: "b" }, "order.line-added"],
      ["PATCH", "/lines/a", { quantity: 2 }, "order.line-quantity-changed"],
      ["DELETE", "/lines/b", undefined, "order.line-removed"],
      ["PUT", "/shipping-address", { ...placement().shippingAddress, city: "York" }, "order.shipping-address-changed"],
      ["POST", "/confirm", undefined, "order.confirmed"],
      ["POST", "/payments", { amount: 2975, paymentId: "p" }, "order.payment-authorized"],
      ["POST", "/payments/p/capture", {}, "order.payment-captured"],
      ["POST", "/shipments", { shipmentId: "s", items: [{ lineId: "a", quantity: 1 }] }, "order.items-shipped"],
      ["POST", "/shipments/s/deliver", undefined, "order.shipment-delivered"],
      ["POST", "/returns", { items: [{ lineId: "a", quantity: 1 }] }, "order.items-returned"],
      ["POST", "/cancel-items", { items: [{ lineId: "a", quantity: 1 }] }, "order.items-cancelled"],
      ["POST", "/payments/p/refund", { amount: 100 }, "order.payment-refunded"]
    ]
    for (const [method, path, body, event] of steps) {
      const answer = await server.send(method, at(path), body)
      assert.strictEqual(answer.status, 202, `${method} ${path}: ${answer.text}`)
      assert.strictEqual(answer.body.events.join().replace(/\.v\d+$/, ""), event)
    }
    const cancelled = await place()
    const answer = await server.send("POST", `/orders/${cancelled}/cancel`, { reason: "duplicate", note: "twice" })
    assert.deepStrictEqual([answer.status, answer.body.status], [202, "cancelled"])
    const voided = await place()
    await server.send("POST", `/orders/${voided}/payments`, { amount: 1, paymentId: "p" })
    assert.strictEqual((await server.send("POST", `/orders/${voided}/payments/p/void`)).body.paymentStatus, "voided")
  })

  it("answers an accepted command that had nothing to do with an empty list of events", async () => {
    const answer = await server.send("POST", `/orders/${await place()}/confirm`)
    assert.deepStrictEqual([answer.status, answer.body.events, answer.headers.get("etag")], [202, [], '"2"'])
  })

  it("says which status forbids a command, and what is allowed instead", async () => {
    const id = await place({ confirm: false })
    const { body, status } = await server.send("POST", `/orders/${id}/shipments`, {})
    assert.deepStrictEqual(
      [status, body.type, body.orderStatus, body.command],
      [409, "/problems/invalid-transition", "placed", "ShipItems"]
    )
    assert.include(body.allowed, "ConfirmOrder")
  })

  it("answers 422 for what no state would allow", async () => {
    const product = await server.send("POST", "/orders", placement({ lines: [{ productId: "none", quantity: 1 }] }))
    assert.deepStrictEqual([product.status, product.body.type], [422, "/problems/unknown-product"])
    const customer = await server.send("POST", "/orders", placement({ customerId: "nobody" }))
    assert.deepStrictEqual([customer.status, customer.body.type], [422, "/problems/unknown-customer"])
    const currency = await server.send("POST", "/orders", placement({ currency: "USD" }))
    assert.deepStrictEqual([currency.status, currency.body.type], [422, "/problems/invalid-order"])
    assert.isNotEmpty(currency.body.errors)
  })

  it("links a command's events to its request", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    const requestId = "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000"
    const placed = await server.send("POST", "/orders", placement(), { traceparent, "x-request-id": requestId })
    assert.strictEqual(placed.headers.get("x-request-id"), requestId)
    const events = (await server.get(`/orders/${placed.body.orderId}/events`)).body
    assert.deepStrictEqual(
      [events[0].traceparent, events[0].correlationid, events[0].causationid, events[0].actor],
      [traceparent, requestId, placed.body.commandId, "operator"]
    )
    const invalid = await server.send("POST", "/orders", placement(), { traceparent: traceparent.replace("b7", "zz") })
    assert.isUndefined((await server.get(`/orders/${invalid.body.orderId}/events`)).body[0].traceparent)
  })
})
