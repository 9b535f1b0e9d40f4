import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { SecureRandom } from "effect/crypto"
import { ada, mug, placement } from "../../../harness/fixtures/Shop.ts"
import { withCatalog } from "../../../harness/clients/CheckedClient.ts"
import { start, type TestServer } from "../../../harness/servers/ApiServer.ts"

let server: TestServer
beforeAll(async () => {
  server = await withCatalog(await start())
})
afterAll(() => server.stop())

const newId = () => `ord_${SecureRandom.uuidV7Unsafe()}`
const place = async () => (await server.send("POST", "/orders", placement({ confirm: false }))).body.orderId as string
const addLine = (id: string, headers: Record<string, string>) =>
  server.send("POST", `/orders/${id}/lines`, { productId: "mug", quantity: 1 }, headers)

describe("preconditions", () => {
  it("If-Match with the current version lets a command through", async () => {
    const id = await place()
    assert.strictEqual((await addLine(id, { "if-match": '"1"' })).status, 202)
    assert.strictEqual((await addLine(id, { "if-match": "*" })).status, 202)
  })

  it("If-Match with another version is 412, and says which one is current", async () => {
    const id = await place()
    for (const [tag, expected] of [
      ['"0"', 0],
      ['"2"', 2],
      // These tags are weak or were never ours, so the answer names no expected version.
      ['W/"1"', undefined],
      ['"abc"', undefined],
      ['"01"', undefined],
      ['""', undefined]
    ] as const) {
      const { body, status } = await addLine(id, { "if-match": tag })
      assert.deepStrictEqual([status, body.type, body.currentVersion], [412, "/problems/version-mismatch", 1], tag)
      assert.strictEqual(body.expected, expected, tag)
    }
  })

  it("If-Match that can't be read is 400", async () => {
    const id = await place()
    for (const tag of ["1", '"1', "'1'", '"1" "2"', '"1",', "W/1", "**", '*, "1"']) {
      const { body, status } = await addLine(id, { "if-match": tag })
      assert.deepStrictEqual([status, body.errors[0].path], [400, "header.if-match"], tag)
    }
  })

  it("If-Match with a list lets a command through if one of its versions is current", async () => {
    const id = await place()
    assert.strictEqual((await addLine(id, { "if-match": '"7", W/"1", "1"' })).status, 202)
    const { body, status } = await addLine(id, { "if-match": '"1" , "3","abc"' })
    assert.deepStrictEqual([status, body.currentVersion, body.expected], [412, 2, undefined])
  })

  it("If-Match on what does not exist yet is 412 with version 0", async () => {
    const orderId = newId()
    for (const tag of ['"1"', "*", '"1", "2"']) {
      for (const [method, path, body] of [
        ["PUT", `/products/${newId()}`, mug],
        ["PUT", `/customers/${newId()}`, ada],
        ["POST", "/orders", placement({ orderId })],
        ["POST", "/orders", placement()]
      ] as const) {
        const answer = await server.send(method, path, body, { "if-match": tag })
        const { currentVersion, type } = answer.body
        assert.deepStrictEqual([answer.status, type, currentVersion], [412, "/problems/version-mismatch", 0], path)
      }
    }
    assert.strictEqual((await server.get(`/orders/${orderId}`)).status, 404)
  })

  it("If-Match on a missing order is 404", async () => {
    for (const tag of ['"1"', "*"]) {
      const { body, status } = await addLine(newId(), { "if-match": tag })
      assert.deepStrictEqual([status, body.type], [404, "/problems/order-not-found"], tag)
    }
  })

  it("If-None-Match: * makes an order once, even if the same request comes again", async () => {
    const orderId = newId()
    const once = () => server.send("POST", "/orders", placement({ orderId }), { "if-none-match": "*" })
    assert.strictEqual((await once()).status, 202)
    const again = await once()
    assert.deepStrictEqual([again.status, again.body.currentVersion], [412, 2])
    assert.strictEqual((await server.send("POST", "/orders", placement({ orderId }))).status, 202)
    assert.strictEqual((await server.send("POST", "/orders", placement({ orderId, confirm: false }))).status, 409)
  })

  it("If-None-Match of a command knows only *, and not together with If-Match", async () => {
    const send = (headers: Record<string, string>) => server.send("POST", "/orders", placement(), headers)
    assert.strictEqual((await send({ "if-none-match": '"1"' })).body.errors[0].path, "header.if-none-match")
    assert.strictEqual((await send({ "if-none-match": "*", "if-match": "*" })).status, 400)
  })
})
