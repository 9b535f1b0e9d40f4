import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { CustomerAggregate, type CustomerCommand } from "../../../src/catalog/Customer.ts"
import { CustomerId } from "../../../src/order/OrderId.ts"
import { given } from "../../../src/testing/Given.ts"

const customerId = CustomerId.make("ada")
const details = { name: "Ada Lovelace", email: "ada@example.org" }
const save: CustomerCommand = { _tag: "SaveCustomer", customerId, ...details }
const withdraw: CustomerCommand = { _tag: "WithdrawCustomer", customerId }
const saved = { _tag: "CustomerSaved", ...details } as const
const withdrawn = { _tag: "CustomerWithdrawn" } as const

describe("a customer", () => {
  it("saved as before records nothing; another name or e-mail does", () => {
    const { when } = given(CustomerAggregate.decider, [saved])
    assert.deepStrictEqual(Result.getOrThrow(when(save)), [])
    assert.deepStrictEqual(Result.getOrThrow(when({ ...save, name: "Ada" })), [{ ...saved, name: "Ada" }])
    assert.deepStrictEqual(Result.getOrThrow(when({ ...save, email: "a@b" })), [{ ...saved, email: "a@b" }])
  })

  it("is withdrawn once, and comes back by saving", () => {
    assert.deepStrictEqual(Result.getOrThrow(given(CustomerAggregate.decider, [saved]).when(withdraw)), [withdrawn])
    const { when } = given(CustomerAggregate.decider, [saved, withdrawn])
    assert.deepStrictEqual(Result.getOrThrow(when(withdraw)), [])
    assert.deepStrictEqual(Result.getOrThrow(when(save)), [saved])
  })

  it("who never was can't be withdrawn", () => {
    const rejection = Result.getOrThrow(Result.flip(given(CustomerAggregate.decider, []).when(withdraw)))
    assert.strictEqual(rejection._tag, "CustomerNotFound")
  })
})
