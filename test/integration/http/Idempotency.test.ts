import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { formatIdempotencyKey, parseIdempotencyKey } from "../../../src/http/wire/HeaderValue.ts"
import { type Answer } from "../../../harness/clients/HttpClient.ts"
import { mug, placement } from "../../../harness/fixtures/Shop.ts"
import { withCatalog } from "../../../harness/clients/CheckedClient.ts"
import { start, type TestServer } from "../../../harness/servers/ApiServer.ts"

let server: TestServer
beforeAll(async () => {
  server = await withCatalog(await start())
})
afterAll(() => server.stop())

let keys = 0
const newKey = () => `key-${keys++}`

type Headers = Record<string, string>
type Send = (headers?: Headers) => Promise<Answer>

const replayed = ({ headers }: Answer) => headers.get("idempotent-replayed")
const slug = ({ body }: Answer): string => body.type

/** Compares the status, the body to the byte, and every header that says something about the command. */
const essence = ({ headers, status, text }: Answer) => ({
  status,
  text,
  headers: ["content-type", "etag", "location", "link", "consistency-token"].map((name) => headers.get(name))
})

/** Sends a request again and checks that the answer is the first one, whatever happened in between. */
const repeats = async (send: Send, between: () => Promise<unknown> = async () => {}) => {
  const key = { "idempotency-key": newKey() }
  const first = await send(key)
  assert.deepStrictEqual([first.status, replayed(first)], [202, null], first.text)
  await between()
  const again = await send(key)
  assert.deepStrictEqual([essence(again), replayed(again)], [essence(first), "true"])
  return first
}

const post =
  (path: string, body?: unknown): Send =>
  (headers) =>
    server.send("POST", path, body, headers)
const place = async (extra: object = {}): Promise<string> => (await post("/orders", placement(extra))()).body.orderId
const lines = [{ productId: "mug", quantity: 3, lineId: "a" }]

describe("Idempotency-Key", () => {
  it("of a POST /orders without an orderId answers the first order, and there is only that one", async () => {
    const customerId = "once"
    await server.send("PUT", `/customers/${customerId}`, { name: "Once", email: "once@example.org" })
    const { headers } = await repeats(post("/orders", placement({ customerId })))
    const token = { "consistency-token": headers.get("consistency-token") ?? "" }
    assert.strictEqual((await server.get(`/orders?customerId=${customerId}`, token)).body.data.length, 1)
  })

  it("is looked up before pricing: neither a new price nor a withdrawn product or customer changes the answer", async () => {
    await server.send("PUT", "/products/vase", { ...mug, name: "Vase" })
    await server.send("PUT", "/customers/bob", { name: "Bob", email: "bob@example.org" })
    const request = placement({ customerId: "bob", lines: [{ productId: "vase", quantity: 1 }] })
    const { body } = await repeats(post("/orders", request), async () => {
      await server.send("PUT", "/products/vase", { ...mug, name: "Vase", unitPrice: 1 })
      await server.send("DELETE", "/products/vase")
      await server.send("DELETE", "/customers/bob")
    })
    assert.strictEqual((await post("/orders", request)()).status, 422)
    const id = await place({ confirm: false })
    await server.send("PUT", "/products/vase", { ...mug, name: "Vase" })
    await repeats(post(`/orders/${id}/lines`, { productId: "vase", quantity: 1 }), () =>
      server.send("DELETE", "/products/vase")
    )
    assert.strictEqual((await server.get(`/orders/${body.orderId}`)).body.totals.total, 1488)
  })

  it("is looked up before If-Match, which is stale by then", async () => {
    const id = await place({ confirm: false })
    const add = post(`/orders/${id}/lines`, { productId: "mug", quantity: 1 })
    await repeats((headers) => add({ ...headers, "if-match": '"1"' }))
    assert.strictEqual((await add({ "if-match": '"1"' })).status, 412)
    const once = post("/orders", placement({ orderId: "ord_01890000-0000-7000-8000-00000000aaaa" }))
    await repeats((headers) => once({ ...headers, "if-none-match": "*" }))
    assert.strictEqual((await once({ "if-none-match": "*" })).status, 412)
  })

  it("makes a refund, a capture and a removal happen once, though nothing in them has an id", async () => {
    const id = await place({ confirm: false, lines: [...lines, { productId: "mug", quantity: 1, lineId: "b" }] })
    const at = (path: string, body?: object) => post(`/orders/${id}${path}`, body)
    await repeats((headers) => server.send("DELETE", `/orders/${id}/lines/b`, undefined, headers))
    await repeats(at("/confirm"))
    await at("/payments", { amount: 4000, paymentId: "p" })()
    await repeats(at("/payments/p/capture", { amount: 1000 }))
    await repeats(at("/payments/p/refund", { amount: 100 }))
    await repeats(at("/shipments", { items: [{ lineId: "a", quantity: 1 }] }))
    await repeats(at("/returns", { items: [{ lineId: "a", quantity: 1 }] }))
    const { body } = await server.get(`/orders/${id}`)
    assert.deepInclude(body.payments[0], { captured: 1000, refunded: 100 })
    assert.deepInclude(body.lines[0], { shipped: 1, returned: 1 })
  })

  it("remembers an accepted command that had nothing to do", async () => {
    const id = await place()
    const first = await repeats(post(`/orders/${id}/confirm`), () =>
      post(`/orders/${id}/cancel`, { reason: "other" })()
    )
    assert.deepStrictEqual(first.body.events, [])
    await server.send("PUT", "/products/same", mug)
    await repeats(
      (headers) => server.send("PUT", "/products/same", mug, headers),
      () => server.send("DELETE", "/products/same")
    )
    await repeats((headers) => server.send("DELETE", "/products/same", undefined, headers))
  })

  it("does not remember a rejection: the same key may be tried again, and is judged anew", async () => {
    const id = await place({ confirm: false, lines })
    const key = { "idempotency-key": newKey() }
    const ship = post(`/orders/${id}/shipments`, {})
    assert.strictEqual(slug(await ship(key)), "/problems/invalid-transition")
    await post(`/orders/${id}/confirm`)()
    const shipped = await ship(key)
    assert.deepStrictEqual([shipped.status, replayed(shipped)], [202, null])
    assert.strictEqual(replayed(await ship(key)), "true")
  })

  it("with another request is 422, however small the difference", async () => {
    const id = await place({ lines })
    const key = { "idempotency-key": newKey() }
    assert.strictEqual((await post(`/orders/${id}/shipments`, { carrier: "DHL" })(key)).status, 202)
    for (const body of [{}, { carrier: "DHL", tracking: "1" }, { carrier: "dhl" }]) {
      const answer = await post(`/orders/${id}/shipments`, body)(key)
      assert.deepStrictEqual([answer.status, slug(answer)], [422, "/problems/idempotency-key-reused"])
    }
    const reordered = '{ "carrier" : "DHL" }'
    assert.strictEqual(replayed(await post(`/orders/${id}/shipments`, reordered)(key)), "true")
  })

  it("belongs to a method and a path: elsewhere the same key is another one", async () => {
    const key = { "idempotency-key": newKey() }
    const [one, other] = [await place({ confirm: false }), await place({ confirm: false })]
    for (const send of [
      post(`/orders/${one}/confirm`),
      post(`/orders/${other}/confirm`),
      post(`/orders/${one}/shipments`, {}),
      post("/orders", placement()),
      (headers: Headers) => server.send("PUT", "/products/keyed", mug, headers),
      (headers: Headers) => server.send("DELETE", "/products/keyed", undefined, headers),
      (headers: Headers) => server.send("DELETE", "/customers/ada", undefined, headers),
      (headers: Headers) => server.send("PUT", "/customers/ada", { name: "Ada", email: "ada@example.org" }, headers)
    ]) {
      const answer = await send(key)
      assert.deepStrictEqual([answer.status, replayed(answer)], [202, null])
    }
  })

  it("and Prefer: wait upgrade a replay to the order as it is now", async () => {
    const key = { "idempotency-key": newKey() }
    const { body: receipt } = await post("/orders", placement())(key)
    await post(`/orders/${receipt.orderId}/shipments`, {})()
    const waited = await post("/orders", placement())({ ...key, prefer: "wait=30" })
    assert.deepStrictEqual([waited.status, replayed(waited), waited.body.orderId], [201, "true", receipt.orderId])
    assert.deepStrictEqual(
      [waited.headers.get("location"), waited.headers.get("preference-applied")],
      [`/orders/${receipt.orderId}`, "wait=30"]
    )
    const confirm = post(`/orders/${receipt.orderId}/confirm`)
    await confirm({ "idempotency-key": "c" })
    const confirmed = await confirm({ "idempotency-key": "c", prefer: "wait=30" })
    assert.deepStrictEqual([confirmed.status, replayed(confirmed), confirmed.body.status], [200, "true", "shipped"])
    const product = (headers: Headers) => server.send("PUT", "/products/waited", mug, headers)
    await product(key)
    const saved = await product({ ...key, prefer: "wait=30" })
    assert.deepStrictEqual([saved.status, replayed(saved), saved.body.name], [200, "true", "Mug"])
  })

  it("lets one of a hundred equal requests run, and answers all of them alike", async () => {
    const key = { "idempotency-key": newKey() }
    const answers = await Promise.all(Array.from({ length: 100 }, () => post("/orders", placement())(key)))
    assert.strictEqual(new Set(answers.map(({ text }) => text)).size, 1)
    assert.deepStrictEqual([...new Set(answers.map(({ status }) => status))], [202])
    assert.strictEqual(answers.filter((answer) => replayed(answer) === null).length, 1)
  })

  it("is the same quoted or bare", async () => {
    const key = newKey()
    const sent = await Promise.all(
      [key, `"${key}"`, ` ${key} `].map((value) => post("/orders", placement())({ "idempotency-key": value }))
    )
    assert.strictEqual(new Set(sent.map(({ text }) => text)).size, 1)
    assert.strictEqual((await post("/orders", placement())({ "idempotency-key": "k".repeat(255) })).status, 202)
  })

  it("is 400 if it can't be a key, and then nothing is done", async () => {
    for (const value of ["", '""', '"', '"a', '"a"b"', String.raw`"a\b"`, '"a"; b', "k".repeat(256), "clé", "a\tb"]) {
      const answer = await post("/orders", placement())({ "idempotency-key": value })
      assert.deepStrictEqual([answer.status, slug(answer)], [400, "/problems/invalid-idempotency-key"], value)
    }
  })

  it("survives being written as a header", () => {
    for (const key of ["k", "a b", " ", '"', String.raw`\"`, "a, b", "k".repeat(255), "~!@#$%^&*()'"]) {
      assert.strictEqual(parseIdempotencyKey(formatIdempotencyKey(key)), key)
    }
  })
})
