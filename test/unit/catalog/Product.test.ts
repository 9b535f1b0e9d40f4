import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import * as Arbitrary from "effect/Arbitrary"
import { ProductAggregate, ProductCommand, ProductState } from "../../../src/catalog/Product.ts"
import { Currency } from "../../../src/order/Money.ts"
import { ProductId } from "../../../src/order/OrderId.ts"
import { deciderLaws } from "../../../src/testing/DeciderLaws.ts"
import { given } from "../../../src/testing/Given.ts"

const productId = ProductId.make("mug")
const details = { name: "Mug", unitPrice: 1250, currency: Currency.make("EUR"), taxBps: 1900 }
const save: ProductCommand = { _tag: "SaveProduct", productId, ...details }
const withdraw: ProductCommand = { _tag: "WithdrawProduct", productId }
const saved = { _tag: "ProductSaved", ...details } as const
const withdrawn = { _tag: "ProductWithdrawn" } as const

describe("a product", () => {
  it("is saved", () =>
    assert.deepStrictEqual(Result.getOrThrow(given(ProductAggregate.decider, []).when(save)), [saved]))

  it("saved as it is already records nothing", () => {
    assert.deepStrictEqual(Result.getOrThrow(given(ProductAggregate.decider, [saved]).when(save)), [])
  })

  it.each([{ name: "Cup" }, { unitPrice: 1 }, { currency: Currency.make("USD") }, { taxBps: 0 }])(
    "saved with %j records the change",
    (change) => {
      const events = Result.getOrThrow(given(ProductAggregate.decider, [saved]).when({ ...save, ...change }))
      assert.deepStrictEqual(events, [{ ...saved, ...change }])
    }
  )

  it("is withdrawn once, and comes back by saving it", () => {
    assert.deepStrictEqual(Result.getOrThrow(given(ProductAggregate.decider, [saved]).when(withdraw)), [withdrawn])
    assert.deepStrictEqual(Result.getOrThrow(given(ProductAggregate.decider, [saved, withdrawn]).when(withdraw)), [])
    assert.deepStrictEqual(Result.getOrThrow(given(ProductAggregate.decider, [saved, withdrawn]).when(save)), [saved])
    const { state } = given(ProductAggregate.decider, [saved, withdrawn, saved])
    assert.deepStrictEqual(state, { _tag: "Product", version: 3, ...details, withdrawn: false })
  })

  it("that never was can't be withdrawn", () => {
    const rejection = Result.getOrThrow(Result.flip(given(ProductAggregate.decider, []).when(withdraw)))
    assert.strictEqual(rejection._tag, "ProductNotFound")
    assert.include(rejection.message, "mug")
  })
})

describe("the laws", () => {
  const commands = Arbitrary.array(
    Arbitrary.map(Arbitrary.schema(Schema.Literals([0, 1, 2])), (price): ProductCommand =>
      price === 0 ? withdraw : { ...save, unitPrice: price }
    )
  )
  const version = (state: ProductState) => (state._tag === "Absent" ? 0 : state.version)
  for (const law of deciderLaws({ aggregate: ProductAggregate, state: ProductState, version })) {
    it.effect.prop(law.name, [commands], ([commands]) => Effect.sync(() => law.check(commands)))
  }
})
