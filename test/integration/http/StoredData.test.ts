/**
 * What was valid when it was stored is readable for ever: a currency, a country and a name that today's rules refuse are
 * read, listed, rebuilt and worked with. A row that is no order at all does not take the others down.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Database } from "../../../src/database/Database.ts"
import * as StreamId from "../../../src/eventstore/StreamId.ts"
import { OrderAggregate } from "../../../src/order/OrderAggregate.ts"
import { CustomerId, ProductId } from "../../../src/order/OrderId.ts"
import { Currency } from "../../../src/order/Money.ts"
import { append, entry, uuid } from "../../../src/testing/EventStoreEntries.ts"
import { placeOrder } from "../../../src/testing/OrderCommands.ts"
import { trace } from "../../../src/testing/Trace.ts"
import { until } from "../../../harness/clocks/Until.ts"
import { ada, mug, placement } from "../../../harness/fixtures/Shop.ts"
import { client, newOrderId } from "../../../harness/orders/BothOrders.ts"
import { type Shop, start } from "../../../harness/servers/AdminServer.ts"

/** No runtime knows this currency, and none knows the country UK. */
const currency = "XQQ"
const orderId = newOrderId(7)
const long = "n".repeat(300)

const saved = (id: string, details: object) =>
  entry(StreamId.make("product", id), 0, {
    events: [{ eventId: uuid(), type: "ProductSaved", schemaVersion: 1, data: { ...mug, ...details } }]
  })

const placed = () => {
  const { events } = trace(OrderAggregate.decider, [
    {
      ...placeOrder,
      orderId,
      customerId: CustomerId.make("ada"),
      currency: currency as Currency,
      shippingAddress: { ...placeOrder.shippingAddress, country: "UK" },
      customer: { name: long, email: "no address" },
      confirm: true
    }
  ])
  const stored = events.map((event) => {
    const { data, schemaVersion, type } = OrderAggregate.codec.encode(event)
    return { eventId: uuid(), type, schemaVersion, data }
  })
  return entry(StreamId.make("order", orderId), 0, { events: stored })
}

let shop: Shop
beforeAll(async () => {
  shop = await start()
  const outcomes = await shop.run(append(placed(), saved("old", { currency }), saved("long", { name: long })))
  assert.deepStrictEqual(
    outcomes.map(({ _tag }) => _tag),
    ["Accepted", "Accepted", "Accepted"]
  )
  await until(
    () => shop.api.get("/orders"),
    ({ body }) => body.data?.length > 0
  )
})
afterAll(() => shop.stop())

const sql = (statement: string) => shop.run(Effect.flatMap(Database, ({ reads }) => reads.unsafe(statement)))

const idsOf = (items: ReadonlyArray<Readonly<Record<string, string>>>, name: string) => items.map((item) => item[name])

const rebuild = async (view: string) => {
  const begun = await shop.operators.send("POST", `/admin/projections/${view}/rebuild`, {})
  assert.strictEqual(begun.status, 202, begun.text)
  const ended = await until(
    () => shop.operators.get(`/admin/rebuilds/${begun.body.id}`),
    ({ body }) => body.state !== "running"
  )
  assert.strictEqual(ended.body.state, "completed", ended.text)
}

describe("an order in a currency and a country that are not known any more", () => {
  it("is read, at each version and in lists, and its events are", async () => {
    for (const path of [`/orders/${orderId}`, `/orders/${orderId}/versions/1`]) {
      const { body, status, text } = await shop.api.get(path)
      assert.deepStrictEqual([status, body.currency, body.shippingAddress?.country], [200, currency, "UK"], text)
    }
    const { body, status } = await shop.api.get("/orders")
    assert.strictEqual(status, 200)
    assert.include(idsOf(body.data, "orderId"), orderId)
    assert.strictEqual((await shop.api.get(`/orders/${orderId}/events`)).status, 200)
  })

  it("takes commands, and is rebuilt", async () => {
    const paid = await shop.api.send("POST", `/orders/${orderId}/payments`, { amount: 2975 }, { prefer: "wait=30" })
    assert.deepStrictEqual([paid.status, paid.body.paymentStatus], [200, "authorized"])
    assert.strictEqual((await shop.api.send("POST", `/orders/${orderId}/shipments`, {})).status, 202)
    await rebuild("order-view")
    assert.strictEqual((await shop.api.get(`/orders/${orderId}`)).status, 200)
  })

  it("is read by the client", async () => {
    // Links are of HTTP alone.
    const { actions: _, links: __, ...body } = (await shop.api.get(`/orders/${orderId}`)).body
    await Effect.runPromise(
      Effect.gen(function* () {
        const orders = yield* client({ baseUrl: shop.url, retries: 0 })
        assert.deepStrictEqual((yield* orders.get(orderId)).order, body)
        assert.strictEqual((yield* orders.product(ProductId.make("old"))).currency, currency)
      }).pipe(Effect.scoped)
    )
  })

  it("can't be placed anew", async () => {
    const { address, currency: known } = { address: placement().shippingAddress, currency: "EUR" }
    const refusedOf = async (extra: object) => {
      const { body, status } = await shop.api.send("POST", "/orders", placement(extra))
      return [status, body.errors?.map(({ path }: { readonly path: string }) => path)]
    }
    assert.deepStrictEqual(await refusedOf({ currency }), [400, ["currency"]])
    for (const country of ["UK", "ZZ", "XX", "EU", "gb", "GBR", ""]) {
      const refused = await refusedOf({ currency: known, shippingAddress: { ...address, country } })
      assert.deepStrictEqual(refused, [400, ["shippingAddress.country"]], country)
    }
    for (const country of ["GB", "US", "XK", "TW"]) {
      assert.deepStrictEqual(await refusedOf({ shippingAddress: { ...address, country } }), [202, undefined], country)
    }
  })
})

describe("a product with a currency or a name that today's rules refuse", () => {
  it("is read and listed, and its view is rebuilt", async () => {
    for (const again of [false, true]) {
      if (again) await rebuild("catalog-view")
      assert.deepStrictEqual((await shop.api.get("/products/old")).body.currency, currency)
      assert.strictEqual((await shop.api.get("/products/long")).body.name, long)
      const { body, status } = await shop.api.get("/products")
      assert.strictEqual(status, 200)
      assert.includeMembers(idsOf(body.data, "productId"), ["old", "long"])
    }
  })

  it("can be ordered", async () => {
    const lines = [{ productId: "long", quantity: 1 }]
    const { body, status, text } = await shop.api.send("POST", "/orders", placement({ lines }), { prefer: "wait=30" })
    assert.deepStrictEqual([status, body.lines?.[0].productName], [201, long], text)
  })

  it("can be saved anew, and withdrawn", async () => {
    assert.strictEqual((await shop.api.send("PUT", "/products/old", mug)).status, 202)
    assert.strictEqual((await shop.api.send("DELETE", "/products/long")).status, 202)
  })
})

describe("a row that was changed into something else", () => {
  const changes = [
    ...["null", "{}", `{"_tag": "Order", "lines": 3}`, "[]"].map((state) => `document = NULL, state = '${state}'`),
    "document = ''",
    "document = replace(document, 'ord_', 'drd_')",
    "document = left(document, 100)",
    `document = replace(document, '"allowed":[', '"allowed":[{}')`
  ]

  it.each(changes)("by %s is told as set aside by lists, which serve the others", async (change) => {
    const { body: placedNow } = await shop.api.send("POST", "/orders", placement(), { prefer: "wait=30" })
    const rows = async () => {
      const { body, headers, status, text } = await shop.api.get("/orders?limit=100")
      assert.strictEqual(status, 200, text)
      return { ids: idsOf(body.data, "orderId"), freshness: headers.get("freshness") ?? "" }
    }
    const before = await rows()
    await sql(`UPDATE ordinal.order_view SET ${change} WHERE order_id = '${placedNow.orderId}'`)
    const after = await rows()
    assert.deepStrictEqual(
      after.ids,
      before.ids.filter((id) => id !== placedNow.orderId)
    )
    assert.match(after.freshness, /parked=1$/)
    // A page that holds nothing but that row is followed by the others.
    const first = await shop.api.get("/orders?limit=1")
    assert.deepStrictEqual([first.status, first.body.data, first.body.page.hasMore], [200, [], true], first.text)
    const next = await shop.api.get(`/orders?limit=1&cursor=${first.body.page.next}`)
    assert.deepStrictEqual(idsOf(next.body.data, "orderId"), [before.ids[1]])
    assert.strictEqual((await shop.api.get(`/orders/${placedNow.orderId}`)).status, 500)
    await sql(`DELETE FROM ordinal.order_view WHERE order_id = '${placedNow.orderId}'`)
  })

  it("of the catalog neither takes a list down", async () => {
    await shop.api.send("PUT", "/customers/bent", ada, { prefer: "wait=30" })
    await sql(`UPDATE ordinal.catalog_view SET state = '{"name": 1}' WHERE id = 'bent'`)
    const { body, headers, status } = await shop.api.get("/customers")
    assert.strictEqual(status, 200)
    assert.deepStrictEqual(idsOf(body.data, "customerId"), ["ada"])
    assert.match(headers.get("freshness") ?? "", /parked=1$/)
  })
})
