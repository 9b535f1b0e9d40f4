import { assert, describe, it } from "@effect/vitest"
import { type ProductCommand, Products } from "../../../src/catalog/Product.ts"
import { Currency } from "../../../src/order/Money.ts"
import { ProductId } from "../../../src/order/OrderId.ts"
import { given } from "../../../src/testing/Given.ts"
import * as AggregateLaws from "../../../src/testing/laws/AggregateLaws.ts"

const productId = ProductId.make("mug")
const details = { name: "Mug", unitPrice: 1250, currency: Currency.make("EUR"), taxBps: 1900 }
const save: ProductCommand = { _tag: "SaveProduct", productId, ...details }
const withdraw: ProductCommand = { _tag: "WithdrawProduct", productId }
const saved = { _tag: "ProductSaved", ...details } as const
const withdrawn = { _tag: "ProductWithdrawn" } as const

describe("a product", () => {
  it("is saved", () => given(Products, []).when(save).then([saved]))

  it("saved as it is already records nothing", () => given(Products, [saved]).when(save).thenNothing())

  it.each([{ name: "Cup" }, { unitPrice: 1 }, { currency: Currency.make("USD") }, { taxBps: 0 }])(
    "saved with %j records the change",
    (change) =>
      given(Products, [saved])
        .when({ ...save, ...change })
        .then([{ ...saved, ...change }])
  )

  it("is withdrawn once, and comes back by saving it", () => {
    given(Products, [saved]).when(withdraw).then([withdrawn])
    given(Products, [saved, withdrawn]).when(withdraw).thenNothing()
    given(Products, [saved, withdrawn]).when(save).then([saved])
    const { state } = given(Products, [saved, withdrawn, saved])
    assert.deepStrictEqual(state, { _tag: "Product", version: 3, ...details, withdrawn: false })
  })

  it("that never was can't be withdrawn", () => {
    const decided = given(Products, []).when(withdraw)
    decided.thenRejects("ProductNotFound")
    assert.include(String(decided.decision), "mug")
  })
})

AggregateLaws.suite(Products)
