import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { CustomerNotFound } from "../../../src/catalog/Customer.ts"
import { ProductNotFound } from "../../../src/catalog/Product.ts"
import { DatabaseUnavailable } from "../../../src/database/DatabaseErrors.ts"
import { VersionMismatch } from "../../../src/aggregate/CommandErrors.ts"
import * as HttpError from "../../../src/http/problems/HttpError.ts"
import { LineId } from "../../../src/order/OrderId.ts"
import * as Rejection from "../../../src/order/OrderRejection.ts"
import type { Orders } from "../../../src/orders/Orders.ts"
import { ServerUnreachable, VersionNotFound } from "../../../src/orders/OrdersError.ts"
import { commandTable, rowsThatMeet, target } from "../../../harness/http/CommandTable.ts"
import {
  type Case,
  commandCases,
  customerId,
  orderId,
  productId,
  queryCases
} from "../../../harness/http/ErrorCases.ts"
import { problemOfSlug } from "../../../harness/http/Contract.ts"
import { mug, placement } from "../../../harness/fixtures/Shop.ts"
import { start, stub, type TestServer } from "../../../harness/servers/ApiServer.ts"

let server: TestServer
let failure: Error
const fail = () => Effect.fail(failure)

const queries = { list: fail, at: fail, product: fail, customer: fail }

beforeAll(async () => {
  const commands = Object.fromEntries(commandTable.map(({ method }) => [method, fail]))
  // Only the test of an error that its command can't meet breaks the types of the methods.
  server = await start({ orders: stub({ ...commands, ...queries } as unknown as Partial<Orders["Service"]>) })
})
afterAll(() => server.stop())

const answerTo = (error: Error, method: string, path: string, body?: unknown) => {
  failure = error
  return server.send(method, path, body)
}

describe("problem documents", () => {
  const check = async ([error, slug, status, members]: Case, method: string, path: string, body?: unknown) => {
    const answer = await answerTo(error, method, path, body)
    assert.deepStrictEqual(
      [answer.status, answer.body.type, answer.body.detail],
      [status, `/problems/${slug}`, error.message]
    )
    for (const [name, value] of Object.entries(members)) assert.deepStrictEqual(answer.body[name], value, name)
    assert.notInclude(answer.text, "secret")
    const { retryAfter } = members
    const header = typeof retryAfter === "number" ? String(Math.ceil(retryAfter)) : null
    assert.strictEqual(answer.headers.get("retry-after"), header)
    return answer
  }

  for (const each of commandCases) {
    it(`${each[1]} is ${each[2]}, with its members, wherever it may be met`, async () => {
      const rows = rowsThatMeet(each[0].name)
      const ofAll = rows.length === 0 ? commandTable.filter(({ command }) => command === "PlaceOrder") : rows
      for (const row of ofAll) await check(each, ...target(row, orderId), row.body)
    })
  }
  it("an error that its command can't meet is a defect", async () => {
    const lastLine = new Rejection.LastLine({ orderId, lineId: LineId.make("line") })
    const answer = await answerTo(lastLine, "POST", `/orders/${orderId}/confirm`)
    assert.deepStrictEqual([answer.status, answer.body.type], [500, "/problems/internal"])
  })
  it("what a gateway can't reach is its database", async () => {
    const unreachable = new ServerUnreachable({ reason: "no connection", retryAfter: 2 })
    for (const [method, path, body] of [
      ["POST", "/orders", placement()],
      ["GET", "/orders"],
      ["GET", "/products/mug"]
    ] as const) {
      const answer = await answerTo(unreachable, method, path, body)
      assert.deepStrictEqual(
        [answer.status, answer.body.type, answer.headers.get("retry-after")],
        [503, "/problems/database-unavailable", "2"]
      )
    }
  })
  it("a version that is not there is 404, not-found, and says of which order", async () => {
    const none = new VersionNotFound({ orderId, version: 9 })
    const members = { orderId, version: 9 }
    await check([none, "not-found", 404, members], "GET", `/orders/${orderId}/versions/9`)
  })
  for (const each of queryCases) {
    it(`${each[1]} is ${each[2]}, with its members`, () => check(each, "GET", "/orders"))
  }
  it("a catalog's own are 404", async () => {
    await check([new ProductNotFound({ productId }), "product-not-found", 404, { productId }], "GET", "/products/mug")
    await check(
      [new CustomerNotFound({ customerId }), "customer-not-found", 404, { customerId }],
      "GET",
      "/customers/a"
    )
    await check([new VersionMismatch({ currentVersion: 1 }), "version-mismatch", 412, {}], "PUT", "/products/mug", mug)
  })

  it("are decoded by clients to the same error", () => {
    for (const [error, slug] of [...commandCases, ...queryCases]) {
      if (error instanceof DatabaseUnavailable) continue
      const schema = problemOfSlug.get(slug)
      assert.isDefined(schema)
      const document = JSON.parse(JSON.stringify(Schema.encodeSync(schema)(error)))
      const decoded = Schema.decodeUnknownSync(schema)({ ...document, instance: "urn:uuid:x" })
      assert.instanceOf(decoded, Error)
      assert.strictEqual(decoded.constructor, error.constructor)
      assert.deepStrictEqual({ ...decoded, stack: "" }, { ...error, stack: "" })
      assert.throws(() => Schema.decodeUnknownSync(schema)({ ...document, type: "/problems/other" }))
    }
  })

  it("are each explained under their type", async () => {
    for (const [slug, { remedy, status, title, when }] of problemOfSlug) {
      const { body } = await server.get(`/problems/${slug}`)
      assert.deepStrictEqual([body.type, body.title, body.status], [`/problems/${slug}`, title, status])
      assert.deepStrictEqual({ when: body.when, remedy: body.remedy }, { when, remedy })
    }
    for (const slug of ["not-acceptable"]) {
      assert.isFalse(problemOfSlug.has(slug), `${slug} is answered, so it is no longer only reserved`)
      assert.strictEqual((await server.get(`/problems/${slug}`)).body.type, `/problems/${slug}`)
    }
    assert.strictEqual((await server.get("/problems/none")).body.type, "/problems/not-found")
  })

  it("have the slugs of the contract, one for each class but for aliases, and the limit of the contract", () => {
    assert.strictEqual(problemOfSlug.size, 63)
    assert.strictEqual(HttpError.maxBodyBytes, 262_144)
  })
})
