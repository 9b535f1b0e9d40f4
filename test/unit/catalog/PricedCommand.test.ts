import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import type { Quote } from "../../../src/catalog/Catalog.ts"
import { demoCustomers, demoProducts } from "../../../src/orders/DemoCatalog.ts"
import { priceOrder } from "../../../src/catalog/PricedCommand.ts"
import { OrderDecider } from "../../../src/order/OrderDecider.ts"
import { LineId } from "../../../src/order/OrderId.ts"
import { PlaceOrderRequest } from "../../../src/order/OrderRequest.ts"
import { orderId } from "../../../src/testing/OrderCommands.ts"

const quote: Quote = {
  customer: { name: "Ada Lovelace", email: "ada@example.org" },
  products: new Map(demoProducts.map(({ _tag, productId, ...product }) => [productId, product])),
  shippingCost: 490
}

const made = { orderId, lineId: (index: number) => LineId.make(`made-${index}`), request: "fingerprint" }

const request = (change: object) =>
  Schema.decodeUnknownSync(PlaceOrderRequest)({
    customerId: "ada",
    currency: "EUR",
    lines: [
      { productId: "mug", quantity: 2 },
      { productId: "tea", quantity: 1, lineId: "mine", unitDiscount: 95 }
    ],
    shippingAddress: { name: "Ada", line1: "12 St James's Square", city: "London", postalCode: "SW1Y", country: "GB" },
    ...change
  })

const priced = (change: object) => Result.getOrThrow(priceOrder(request(change), quote, made))

describe("pricing an order", () => {
  it("takes names and prices from the catalog, ids and discounts from the caller", () => {
    const { customer, lines, shippingCost } = priced({})
    assert.deepStrictEqual(
      lines.map(({ lineId, name, taxBps, unitDiscount, unitPrice }) => [lineId, name, unitPrice, unitDiscount, taxBps]),
      [
        ["made-0", "Mug", 1250, 0, 1900],
        ["mine", "Darjeeling, 100 g", 895, 95, 700]
      ]
    )
    assert.deepStrictEqual([customer, shippingCost], [quote.customer, 490])
  })

  it("gives a command that the decider accepts", () => {
    assert.isTrue(Result.isSuccess(OrderDecider.decide(priced({}), OrderDecider.initialState)))
  })

  it("lets an operator's shipping cost win, 0 too", () =>
    assert.strictEqual(priced({ shippingCost: 0 }).shippingCost, 0))

  it("says confirm only if the caller did", () => {
    assert.notProperty(priced({}), "confirm")
    assert.isFalse(priced({ confirm: false }).confirm)
  })

  it("rejects products that are not in the catalog, each place of one", () => {
    const lines = ["unknown", "mug", "unknown"].map((productId) => ({ productId, quantity: 1 }))
    const rejection = Result.getOrThrow(Result.flip(priceOrder(request({ lines }), quote, made)))
    assert.strictEqual(rejection._tag, "UnknownProduct")
    assert.deepStrictEqual(
      rejection.errors.map((error) => error.path),
      ["lines[0].productId", "lines[2].productId"]
    )
  })

  it("rejects products that are sold in another currency", () => {
    const rejection = Result.getOrThrow(Result.flip(priceOrder(request({ currency: "USD" }), quote, made)))
    const message = "The product is sold in EUR, not in USD."
    const errors = [0, 1].map((index) => ({ path: `lines[${index}].productId`, message }))
    assert.deepInclude(rejection, { _tag: "InvalidOrder", errors })
  })
})

it("the demo shop has products and customers with ids of their own", () => {
  assert.strictEqual(new Set(demoProducts.map(({ productId }) => productId)).size, demoProducts.length)
  assert.strictEqual(new Set(demoCustomers.map(({ customerId }) => customerId)).size, demoCustomers.length)
})
