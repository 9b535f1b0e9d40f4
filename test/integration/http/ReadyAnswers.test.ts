/**
 * Orders that are answered as their text is stored are answered as the API's definition says: each kind of answer is
 * decoded by its schema, and is to the byte what encoding by that schema gives.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Layer, ManagedRuntime, Schema } from "effect"
import * as HttpHeaders from "../../../src/http/api/HttpHeaders.ts"
import { OrderDocument } from "../../../src/http/api/OrderDocument.ts"
import { OrderPage } from "../../../src/http/api/OrderQueryApi.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import * as OrdersLayers from "../../../src/orders/OrdersLayers.ts"
import { withCatalog } from "../../../harness/clients/CheckedClient.ts"
import { placement } from "../../../harness/fixtures/Shop.ts"
import { start, type TestServer } from "../../../harness/servers/ApiServer.ts"

/** Answers what the service does, in objects of its own, which are encoded by the API's definition. */
const remade = (orders: Orders["Service"]): Orders["Service"] => ({
  ...orders,
  get: (...args) => Effect.map(orders.get(...args), (answer) => ({ ...answer })),
  list: (...args) => Effect.map(orders.list(...args), (answer) => ({ ...answer }))
})

const runtime = ManagedRuntime.make(OrdersLayers.layerMemory)
let ready: TestServer
let encoded: TestServer
beforeAll(async () => {
  const orders = await runtime.runPromise(Orders)
  ready = await withCatalog(await start({ orders: Layer.succeed(Orders, orders) }))
  encoded = await start({ orders: Layer.succeed(Orders, remade(orders)) })
})
afterAll(async () => {
  await Promise.all([ready.stop(), encoded.stop()])
  await runtime.dispose()
})

const strict = { onExcessProperty: "error" } as const
const decode = {
  order: [OrderDocument, HttpHeaders.view],
  page: [OrderPage, HttpHeaders.page]
} as const

type Answer = Awaited<ReturnType<TestServer["get"]>>

const assertFits = (kind: keyof typeof decode, { body, headers }: Answer) => {
  const [schema, fields] = decode[kind]
  Schema.decodeUnknownSync(schema as Schema.Codec<unknown>, strict)(body)
  Schema.decodeUnknownSync(Schema.Struct(fields))(Object.fromEntries(headers))
}

/** Of the headers, these differ from one request to the next. */
const changing = new Set(["x-request-id", "date", "freshness"])

const assertSame = (one: Answer, other: Answer) => {
  assert.deepStrictEqual([one.status, one.text], [other.status, other.text])
  const fixed = ({ headers }: Answer) => [...headers].filter(([name]) => !changing.has(name)).sort()
  assert.deepStrictEqual(fixed(one), fixed(other))
}

const wait = { prefer: "wait=30" }

describe("an order that is answered as it is stored", () => {
  it("fits the definition in every answer that shows it, and is what encoding it gives", async () => {
    const first = await ready.send("POST", "/orders", placement({ confirm: false }), wait)
    assert.strictEqual(first.status, 201)
    assertFits("order", first)
    const path = `/orders/${first.body.orderId}`
    const steps: ReadonlyArray<readonly [path: string, body: object]> = [
      ["payments", { paymentId: "p", amount: 1 }],
      ["confirm", {}],
      ["payments/p/capture", {}],
      ["shipments", { shipmentId: "s", carrier: "ü", tracking: '"\\\n\u2028' }],
      ["shipments/s/deliver", {}],
      ["returns", { returnId: "r", items: [{ quantity: 1, lineId: "line_1" }], reason: 'allowed":[' }]
    ]
    for (const [step, body] of steps) {
      const changed = await ready.send("POST", `${path}/${step}`, body, wait)
      assert.deepStrictEqual(
        [changed.status, changed.headers.get("preference-applied")],
        [200, "wait=30"],
        changed.text
      )
      assertFits("order", changed)
      for (const headers of [{}, { "consistency-token": changed.headers.get("consistency-token")!, ...wait }]) {
        const answers = [await ready.get(path, headers), await encoded.get(path, headers)] as const
        assertFits("order", answers[0])
        assertSame(...answers)
        assert.strictEqual(answers[0].text, changed.text)
      }
    }
    await ready.send("POST", "/orders", placement(), wait)
    const next = String((await ready.get("/orders?limit=1")).body.page.next)
    for (const query of ["", "?limit=1", `?limit=1&cursor=${next}`, "?sort=updatedAt", "?status=cancelled"]) {
      const answers = [await ready.get(`/orders${query}`), await encoded.get(`/orders${query}`)] as const
      assertFits("page", answers[0])
      assertSame(...answers)
    }
  })

  it("is not sent to a caller who has its version", async () => {
    const { body, headers } = await ready.send("POST", "/orders", placement(), wait)
    const path = `/orders/${body.orderId}`
    for (const tag of [headers.get("etag")!, "*", `W/${headers.get("etag")}`]) {
      const answers = [
        await ready.get(path, { "if-none-match": tag }),
        await encoded.get(path, { "if-none-match": tag })
      ] as const
      assert.deepStrictEqual([answers[0].status, answers[0].text], [304, ""])
      assertSame(...answers)
    }
  })

  it("is read, and answered, by HEAD without a body", async () => {
    const { body } = await ready.send("POST", "/orders", placement(), wait)
    for (const path of [`/orders/${body.orderId}`, "/orders"]) {
      const answers = [await ready.request("HEAD", path), await encoded.request("HEAD", path)] as const
      assert.strictEqual(answers[0].status, 200)
      assertSame(...answers)
    }
  })
})
