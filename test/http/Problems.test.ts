import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { UnknownCustomer, UnknownProduct } from "../../src/catalog/Catalog.ts"
import { CustomerNotFound } from "../../src/catalog/Customer.ts"
import { ProductNotFound } from "../../src/catalog/Product.ts"
import { ConcurrencyConflict } from "../../src/eventlog/ConcurrencyConflict.ts"
import * as StreamId from "../../src/eventlog/StreamId.ts"
import { DatabaseUnavailable, OutcomeUnknown, Overloaded } from "../../src/eventlog/Unavailable.ts"
import { CommandIdReused, CommandInProgress } from "../../src/eventsourcing/CommandIdentity.ts"
import { AggregateSuspended, Draining, VersionMismatch } from "../../src/eventsourcing/SendError.ts"
import * as HttpError from "../../src/http/HttpError.ts"
import type { Problem } from "../../src/http/Problem.ts"
import * as Problems from "../../src/http/ProblemTypes.ts"
import { CustomerId, LineId, OrderId, PaymentId, ProductId, ShipmentId } from "../../src/order/OrderId.ts"
import * as Rejection from "../../src/order/OrderRejection.ts"
import type { Orders } from "../../src/Orders.ts"
import { InvalidToken } from "../../src/projection/ConsistencyToken.ts"
import { ProjectionBehind } from "../../src/projection/ProjectionBehind.ts"
import { InvalidCursor } from "../../src/readmodel/Cursor.ts"
import { mug, order, start, stub, type TestServer } from "./harness.ts"

const orderId = OrderId.make("ord_01890000-0000-7000-8000-000000000000")
const lineId = LineId.make("line")
const paymentId = PaymentId.make("pay")
const productId = ProductId.make("mug")
const customerId = CustomerId.make("ada")

/** An error, its slug and status from the contract, and the members that its document must have. */
type Case = readonly [error: Error, slug: string, status: number, members: Record<string, unknown>]

const errors = [{ path: "currency", message: "is another" }]
const items = [{ lineId, requested: 3, available: 1 }]

const commandCases: ReadonlyArray<Case> = [
  [new Rejection.OrderNotFound({ orderId }), "order-not-found", 404, { orderId }],
  [new Rejection.LineNotFound({ orderId, lineId }), "line-not-found", 404, { orderId, lineId }],
  [
    new Rejection.ShipmentNotFound({ orderId, shipmentId: ShipmentId.make("s") }),
    "shipment-not-found",
    404,
    { shipmentId: "s" }
  ],
  [new Rejection.PaymentNotFound({ orderId, paymentId }), "payment-not-found", 404, { paymentId }],
  [
    new Rejection.InvalidTransition({
      orderId,
      orderStatus: "placed",
      command: "ShipItems",
      allowed: ["ConfirmOrder"]
    }),
    "invalid-transition",
    409,
    { orderStatus: "placed", command: "ShipItems", allowed: ["ConfirmOrder"] }
  ],
  [
    new Rejection.OrderAlreadyShipped({ orderId, orderStatus: "shipped", hint: "h" }),
    "already-shipped",
    409,
    { hint: "h" }
  ],
  [new Rejection.LastLine({ orderId, lineId }), "last-line", 409, { lineId }],
  [new Rejection.QuantityExceeded({ orderId, items }), "quantity-exceeded", 409, { items }],
  [
    new Rejection.AmountExceeded({ orderId, requested: 3, available: 1 }),
    "amount-exceeded",
    409,
    { requested: 3, available: 1 }
  ],
  [
    new Rejection.AmountExceeded({ orderId, available: 0 }),
    "amount-exceeded",
    409,
    { available: 0, requested: undefined }
  ],
  [new Rejection.PaymentClosed({ orderId, paymentId }), "payment-closed", 409, { paymentId }],
  [
    new Rejection.PaymentRequiredBeforeShipment({ orderId, required: "captured", missing: 7 }),
    "payment-required-before-shipment",
    409,
    { required: "captured", missing: 7 }
  ],
  [new Rejection.OrderExists({ orderId }), "order-exists", 409, { orderId }],
  [new Rejection.IdReused({ orderId, kind: "line", id: "x" }), "id-reused", 409, { kind: "line", id: "x" }],
  [new Rejection.OrderTooLong({ orderId }), "order-too-long", 409, { orderId }],
  [new Rejection.InvalidOrder({ errors }), "invalid-order", 422, { errors }],
  [UnknownProduct.of([productId]), "unknown-product", 422, { productIds: [productId] }],
  [UnknownCustomer.of(customerId), "unknown-customer", 422, { customerId }],
  [
    new ConcurrencyConflict({ streamId: StreamId.make("order", orderId), currentVersion: 9 }),
    "concurrency-conflict",
    409,
    { currentVersion: 9 }
  ],
  [new CommandIdReused(), "idempotency-key-reused", 422, {}],
  [new CommandInProgress({ retryAfter: 2 }), "idempotency-in-progress", 409, { retryAfter: 2 }],
  [
    new VersionMismatch({ expected: 1, currentVersion: 2 }),
    "version-mismatch",
    412,
    { expected: 1, currentVersion: 2 }
  ],
  [new Overloaded({ what: "it", retryAfter: 2 }), "overloaded", 503, { retryAfter: 2 }],
  [new Draining({ retryAfter: 1 }), "draining", 503, { retryAfter: 1 }],
  [new OutcomeUnknown({ retryAfter: 1 }), "outcome-unknown", 503, { retryAfter: 1 }],
  [
    new DatabaseUnavailable({ retryAfter: 0.2, cause: new Error("password=secret") }),
    "database-unavailable",
    503,
    { retryAfter: 0.2, cause: undefined }
  ],
  [new AggregateSuspended({ retryAfter: 30 }), "aggregate-suspended", 503, { retryAfter: 30 }]
]

const behind = new ProjectionBehind({ required: 9n, current: 7n, parked: true, retryAfter: 1 })
const queryCases: ReadonlyArray<Case> = [
  [behind, "projection-behind", 503, { required: 9, current: 7, parked: true, retryAfter: 1 }],
  [new InvalidToken({ token: "x" }), "invalid-token", 400, { token: "x" }],
  [new InvalidCursor(), "invalid-cursor", 400, {}]
]

let server: TestServer
let failure: Error
const fail = () => Effect.fail(failure)

beforeAll(async () => {
  // Every case is one that the method's type knows.
  const methods = { place: fail, list: fail, product: fail, customer: fail, saveProduct: fail }
  server = await start({ orders: stub(methods as unknown as Partial<Orders["Service"]>) })
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
    it(`${each[1]} is ${each[2]}, with its members`, () => check(each, "POST", "/orders", order()))
  }
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
    const schemas = new Map(Problems.all.map((problem) => [problem.slug, problem as unknown as Problem<Error>]))
    for (const [error, slug] of [...commandCases, ...queryCases]) {
      if (error instanceof DatabaseUnavailable) continue
      const schema = schemas.get(slug)
      assert.isDefined(schema)
      const document = JSON.parse(JSON.stringify(Schema.encodeSync(schema)(error)))
      const decoded = Schema.decodeUnknownSync(schema)({ ...document, instance: "urn:uuid:x" })
      assert.strictEqual(decoded.constructor, error.constructor)
      assert.deepStrictEqual({ ...decoded, stack: "" }, { ...error, stack: "" })
      assert.throws(() => Schema.decodeUnknownSync(schema)({ ...document, type: "/problems/other" }))
    }
  })

  it("are each explained under their type", async () => {
    for (const { slug, status, title } of Problems.all) {
      const { body } = await server.get(`/problems/${slug}`)
      assert.deepStrictEqual([body.type, body.title, body.status], [`/problems/${slug}`, title, status])
    }
    assert.strictEqual((await server.get("/problems/none")).body.type, "/problems/not-found")
  })

  it("have slugs that differ, one for each class", () => {
    assert.strictEqual(new Set(Problems.all.map(({ slug }) => slug)).size, new Set(Problems.all).size)
    assert.strictEqual(HttpError.maxBodyBytes, 262_144)
  })
})
