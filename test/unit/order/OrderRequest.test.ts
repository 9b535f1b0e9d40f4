import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { canonicalJson } from "../../../src/aggregate/CanonicalJson.ts"
import * as Request from "../../../src/order/OrderRequest.ts"

const address = { name: "Ada", line1: "12 St James's Square", city: "London", postalCode: "SW1Y 4LE", country: "GB" }
const lines = [{ productId: "mug", quantity: 2 }]
const place = { customerId: "ada", currency: "EUR", lines, shippingAddress: address }

const accepts = <A>(schema: Schema.Codec<A, unknown>, body: unknown): boolean =>
  Result.isSuccess(Schema.decodeUnknownResult(schema, Request.parseOptions)(body))

const placing = (change: object) => accepts(Request.PlaceOrderRequest, { ...place, ...change })
const line = (change: object) => placing({ lines: [{ ...lines[0], ...change }] })
const living = (change: object) => placing({ shippingAddress: { ...address, ...change } })

describe("a request to place an order", () => {
  it("needs no more than customer, currency, lines and address", () => {
    assert.isTrue(placing({}))
    assert.isTrue(placing({ orderId: "ord_01997a1c-0000-7000-8000-000000000001", shippingCost: 0, confirm: false }))
    assert.isTrue(living({ line2: "", region: "Greater London", postalCode: "" }))
  })

  it.each([
    ["a null for an optional member", { confirm: null }],
    ["a null for an optional amount", { shippingCost: null }],
    ["an unknown member", { prize: 1 }],
    ["an orderId of another form", { orderId: "ord_1" }],
    ["an orderId that is no UUIDv7", { orderId: "ord_01997a1c-0000-4000-8000-000000000001" }],
    ["a trailing line feed in an id", { customerId: "ada\n" }],
    ["a currency in lower case", { currency: "eur" }],
    ["a currency nobody knows", { currency: "EUX" }],
    ["no line", { lines: [] }],
    ["501 lines", { lines: Array(501).fill(lines[0]) }],
    ["a negative shipping cost", { shippingCost: -1 }],
    ["a shipping cost of −0", { shippingCost: -0 }],
    ["an amount that is no exact number", { shippingCost: 2 ** 53 }]
  ])("refuses %s", (_what, change) => assert.isFalse(placing(change)))

  it.each([
    { quantity: 0 },
    { quantity: 100_000 },
    { quantity: 1.5 },
    { quantity: "1" },
    { unitPrice: 1 },
    { lineId: "a b" },
    { unitDiscount: -1 },
    { productId: "x".repeat(65) }
  ])("refuses a line with %j", (change) => assert.isFalse(line(change)))

  it.each([
    { name: "" },
    { name: "x".repeat(201) },
    { name: "NUL \u0000" },
    { name: "half a smiley \ud83d" },
    { country: "gb" },
    { country: "GBR" },
    { line2: null },
    { planet: "Earth" }
  ])("refuses an address with %j", (change) => assert.isFalse(living(change)))

  it("counts characters, not their halves", () => assert.isTrue(living({ name: "😀".repeat(200) })))
})

describe("other requests", () => {
  it("refuses empty items and the same line twice", () => {
    const item = { lineId: "line-1", quantity: 1 }
    assert.isTrue(accepts(Request.ShipItemsRequest, {}))
    assert.isTrue(accepts(Request.ShipItemsRequest, { items: [item] }))
    assert.isFalse(accepts(Request.ShipItemsRequest, { items: [] }))
    assert.isFalse(accepts(Request.ShipItemsRequest, { items: null }))
    assert.isFalse(accepts(Request.ReturnItemsRequest, { items: [item, { ...item, quantity: 2 }] }))
  })

  it("leaves all_items_cancelled to CancelItems", () => {
    assert.isTrue(accepts(Request.CancelOrderRequest, { reason: "duplicate", note: "x".repeat(2000) }))
    assert.isFalse(accepts(Request.CancelOrderRequest, { reason: "duplicate", note: "x".repeat(2001) }))
    assert.isFalse(accepts(Request.CancelOrderRequest, { reason: "all_items_cancelled" }))
  })

  it("moves at least 1", () => {
    assert.isTrue(accepts(Request.CapturePaymentRequest, {}))
    assert.isFalse(accepts(Request.CapturePaymentRequest, { amount: 0 }))
    assert.isFalse(accepts(Request.AuthorizePaymentRequest, {}))
  })
})

describe("what makes two requests the same", () => {
  const content = (body: object) =>
    canonicalJson(
      Request.placeOrderContent(Schema.decodeUnknownSync(Request.PlaceOrderRequest)({ ...place, ...body }), {
        autoConfirm: true
      })
    )

  it("fills in defaults", () => {
    assert.strictEqual(content({}), content({ confirm: true, lines: [{ ...lines[0], unitDiscount: 0 }] }))
    assert.notStrictEqual(content({}), content({ confirm: false }))
    assert.notStrictEqual(content({}), content({ lines: [{ ...lines[0], lineId: "line-1" }] }))
  })

  it("does not depend on the order of members", () => {
    assert.strictEqual(canonicalJson({ b: [{ d: 1, c: 2 }], a: null }), '{"a":null,"b":[{"c":2,"d":1}]}')
    assert.strictEqual(canonicalJson({ "10": 1, "9": 2, é: 3, z: 4 }), canonicalJson({ z: 4, é: 3, "9": 2, "10": 1 }))
    assert.strictEqual(canonicalJson({ a: undefined }), "{}")
  })
})
