import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { placement } from "../../../../harness/fixtures/Shop.ts"
import { withCatalog } from "../../../../harness/clients/CheckedClient.ts"
import { start, type TestServer } from "../../../../harness/servers/ApiServer.ts"

let server: TestServer
beforeAll(async () => {
  server = await withCatalog(await start())
})
afterAll(() => server.stop())

const post = (body: unknown, headers: Record<string, string> = {}) => server.send("POST", "/orders", body, headers)
const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`

/** Puts one value in place of another into an order that is valid otherwise. */
const withText = (text: string) => JSON.stringify(placement()).replace('"mug"', text)
const withQuantity = (text: string) => JSON.stringify(placement()).replace('"quantity":2', `"quantity":${text}`)

describe("the boundary", () => {
  it("refuses a body that is not labelled JSON", async () => {
    for (const type of [
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "application/jsonx",
      "application/json; charset=utf-16"
    ]) {
      const answer = await post(placement(), { "content-type": type })
      assert.deepStrictEqual([answer.status, answer.body.type], [415, "/problems/unsupported-media-type"], type)
    }
    const unlabelled = await server.request("POST", "/orders", { body: new Blob([JSON.stringify(placement())]) })
    assert.strictEqual(unlabelled.status, 415)
    assert.strictEqual((await post(placement(), { "content-type": "Application/JSON; charset=UTF-8" })).status, 202)
    const form = await server.send("POST", "/orders/ord_01890000-0000-7000-8000-000000000000/confirm", undefined, {
      "content-type": "application/x-www-form-urlencoded"
    })
    assert.strictEqual(form.status, 415)
  })

  it("refuses a compressed body", async () => {
    const answer = await post(placement(), { "content-encoding": "gzip" })
    assert.deepStrictEqual([answer.status, answer.body.header], [415, "content-encoding"])
  })

  it("refuses what is no JSON, no object, or no UTF-8", async () => {
    for (const body of ["{", "}", "{'a':1}", '{"a":1,}', "NaN", "", " ", "null", "[]", "1", '"text"', "[{}]"]) {
      const answer = await post(body)
      assert.deepStrictEqual([answer.status, answer.body.type], [400, "/problems/invalid-request"], body)
    }
    const bytes = new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])
    const answer = await server.request("POST", "/orders", {
      body: bytes,
      headers: { "content-type": "application/json" }
    })
    assert.deepStrictEqual(answer.body.errors, [{ path: "body", message: "Expected UTF-8" }])
    assert.deepStrictEqual((await post("null")).body.errors, [{ path: "body", message: "Expected an object" }])
  })

  it("refuses unknown members, also nested ones, and names them all", async () => {
    const { body, status } = await post({
      ...placement({ status: "shipped", lines: [{ productId: "mug", quantity: 1, unitPrice: 1 }] }),
      shippingAddress: { ...placement().shippingAddress, planet: "Mars" },
      customer: { name: "x" }
    })
    assert.strictEqual(status, 400)
    assert.sameMembers(
      body.errors.map(({ path }: { path: string }) => path),
      ["status", "lines[0].unitPrice", "shippingAddress.planet", "customer"]
    )
  })

  it("is not taken in by prototypes", async () => {
    const text = JSON.stringify(placement())
    for (const member of ['"__proto__":{"confirm":false}', '"constructor":{"prototype":{"x":1}}']) {
      assert.strictEqual((await post(text.replace("{", `{${member},`))).status, 400, member)
      assert.strictEqual((await post(text.replace('{"productId"', `{${member},"productId"`))).status, 400, member)
    }
    assert.notProperty({}, "x")
    assert.strictEqual((await server.get("/orders?__proto__=1")).status, 400)
    assert.strictEqual((await server.get("/orders?constructor=1")).status, 400)
  })

  it("refuses null for an optional member", async () => {
    const { body, status } = await post(placement({ shippingCost: null }))
    assert.deepStrictEqual([status, body.errors[0].path], [400, "shippingCost"])
  })

  it("refuses NUL and lone surrogates in any text", async () => {
    for (const text of [String.raw`"\u0000"`, String.raw`"a\ud800"`, String.raw`"\udc00\ud800"`]) {
      assert.strictEqual((await post(withText(text))).status, 400, text)
      const address = JSON.stringify(placement()).replace('"London"', text)
      assert.strictEqual((await post(address)).status, 400, text)
      const saved = await server.send("PUT", "/customers/x", `{"name":${text},"email":"x@example.org"}`)
      assert.strictEqual(saved.status, 400, text)
      assert.strictEqual((await post(`{${text}:1}`)).status, 400, text)
    }
    assert.strictEqual((await post(JSON.stringify(placement()).replace('"London"', '"Łódź 🏺"'))).status, 202)
  })

  it("refuses numbers that are no whole quantity", async () => {
    for (const number of [
      "1e999",
      "-1e999",
      "0.5",
      "1.0000000001",
      "-0",
      "0",
      "-1",
      "100000",
      "9007199254740993",
      '"2"',
      "true",
      "[2]",
      "{}"
    ]) {
      const { body, status } = await post(withQuantity(number))
      assert.deepStrictEqual([status, body.errors[0].path], [400, "lines[0].quantity"], number)
    }
    assert.strictEqual((await post(JSON.stringify(placement({ shippingCost: 7 })).replace(":7", ":-0"))).status, 400)
    assert.strictEqual((await post(withQuantity("2.0"))).status, 202)
  })

  it("answers 422 where a total would be too large", async () => {
    await server.send("PUT", "/products/gold", {
      name: "Gold",
      unitPrice: Number.MAX_SAFE_INTEGER,
      currency: "EUR",
      taxBps: 0
    })
    const answer = await post(placement({ lines: [{ productId: "gold", quantity: 2 }] }))
    assert.deepStrictEqual([answer.status, answer.body.type], [422, "/problems/invalid-order"])
  })

  it("refuses JSON nested deeper than 32, fast", async () => {
    assert.strictEqual((await post(`{"a":${nested(32)}}`)).body.errors[0].message, "is nested deeper than 32")
    assert.strictEqual((await post(`{"a":${nested(31)}}`)).body.errors[0].path, "a")
    assert.strictEqual((await post(`{"a":"${"[".repeat(100)}"}`)).body.errors[0].path, "a")
    const before = process.cpuUsage()
    for (const body of [nested(130_000), "[".repeat(262_000), '{"a":'.repeat(52_000)]) {
      assert.strictEqual((await post(body)).status, 400)
    }
    const { system, user } = process.cpuUsage(before)
    assert.isBelow((system + user) / 1_000, 1_000)
  })

  it("takes 256 KiB and not a byte more", async () => {
    const size = 256 * 1024
    const text = JSON.stringify(placement())
    assert.strictEqual((await post(text + " ".repeat(size - text.length))).status, 202)
    const answer = await post(text + " ".repeat(size - text.length + 1))
    assert.deepStrictEqual(
      [answer.status, answer.body.type, answer.body.limit, answer.headers.get("connection")],
      [413, "/problems/content-too-large", size, "close"]
    )
  })

  it("names at most fifty faults", async () => {
    const lines = Array.from({ length: 500 }, () => ({ productId: "", quantity: 0 }))
    const { body, status } = await post(placement({ lines }))
    assert.deepStrictEqual([status, body.errors.length], [400, 50])
  })

  it("bounds the list of lines", async () => {
    const lines = (count: number) => Array.from({ length: count }, () => ({ productId: "mug", quantity: 1 }))
    assert.strictEqual((await post(placement({ lines: [] }))).status, 400)
    assert.strictEqual((await post(placement({ lines: lines(501) }))).status, 400)
    assert.strictEqual((await post(placement({ lines: lines(500) }))).status, 202)
  })
})
