import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { wireType } from "../../../src/aggregate/PublishedEvent.ts"
import { OrderAggregate } from "../../../src/order/OrderAggregate.ts"
import { OrderEvent } from "../../../src/order/OrderEvent.ts"
import { defaultPolicies } from "../../../src/order/OrderPolicies.ts"
import * as OrderView from "../../../src/views/order/OrderView.ts"
import { placement } from "../../../harness/fixtures/Shop.ts"
import { withCatalog } from "../../../harness/clients/CheckedClient.ts"
import { start, type TestServer } from "../../../harness/servers/ApiServer.ts"

let server: TestServer
beforeAll(async () => {
  server = await withCatalog(await start())
})
afterAll(() => server.stop())

const { codec, decider } = OrderAggregate
const types = new Map(
  Object.keys(OrderEvent.cases).map((type) => [wireType("order", type, codec.schemaVersion(type)), type])
)

/** Takes an order through every kind of command, as often as asked. */
const live = async (steps: number): Promise<string> => {
  const lines = [{ productId: "mug", quantity: 900, lineId: "a" }]
  const { orderId } = (await server.send("POST", "/orders", placement({ lines, confirm: false }))).body
  const send = (path: string, body: object, method = "POST") => server.send(method, `/orders/${orderId}${path}`, body)
  await send("/lines", { productId: "mug", quantity: 5, lineId: "b" })
  await send("/lines/b", { quantity: 7 }, "PATCH")
  await send("/confirm", {})
  await send("/payments", { amount: 1000, paymentId: "p" })
  for (let step = 0; step < steps; step++) {
    const one = { items: [{ lineId: "a", quantity: 1 }] }
    await send("/shipments", { ...one, shipmentId: `s${step}` })
    if (step % 3 === 0) await send(`/shipments/s${step}/deliver`, {})
    if (step % 5 === 0) await send("/returns", one)
    if (step % 7 === 0) await send("/cancel-items", one)
    if (step % 11 === 0) await send("/payments/p/capture", { amount: 10 })
  }
  return orderId
}

const at = (id: string, version: number | string) => server.get(`/orders/${id}/versions/${version}`)

describe("an order as it was", () => {
  it("is for every version the fold of the events up to it", async () => {
    const id = await live(60)
    const { body: events } = await server.get(`/orders/${id}/events?limit=500`)
    assert.isAbove(events.length, 100)
    let state = decider.initialState
    for (const [index, { data, time, type }] of events.entries()) {
      const name = types.get(type) ?? type
      const event = codec.decode({ type: name, schemaVersion: codec.schemaVersion(name), data })
      state = decider.evolve(state, event, time)
      if (state._tag === "Absent") throw new Error("it was placed")
      const { body, headers, status } = await at(id, index + 1)
      assert.strictEqual(status, 200)
      const { actions: _, links: __, ...order } = body
      assert.deepStrictEqual(order, JSON.parse(JSON.stringify(OrderView.fromState(state, time, defaultPolicies))))
      assert.strictEqual(headers.get("etag"), `"${index + 1}"`)
    }
    const current = await server.get(`/orders/${id}`)
    assert.strictEqual((await at(id, events.length)).text, current.text)
  })

  it("may be kept for ever by its reader, and by nobody in between", async () => {
    const { body } = await server.send("POST", "/orders", placement())
    assert.strictEqual((await at(body.orderId, 1)).headers.get("cache-control"), "private, no-cache")
    assert.strictEqual((await at(body.orderId, 9)).headers.get("cache-control"), "private, no-cache")
  })

  it("is 404 for a version or an order that is not there, 400 for what is no version", async () => {
    const { body: placed } = await server.send("POST", "/orders", placement())
    for (const version of [0, 3, 999_999_999_999_999]) {
      const { body, status } = await at(placed.orderId, version)
      assert.deepStrictEqual([status, body.type, body.version], [404, "/problems/not-found", version])
    }
    const missing = await at("ord_01890000-0000-7000-8000-000000000000", 1)
    assert.deepStrictEqual([missing.status, missing.body.type], [404, "/problems/order-not-found"])
    for (const version of ["-1", "1.0", "1e1", "x", "99999999999999999"]) {
      const { body, status } = await at(placed.orderId, version)
      assert.deepStrictEqual([status, body.errors?.[0].path], [400, "path.version"], version)
    }
  })
})
