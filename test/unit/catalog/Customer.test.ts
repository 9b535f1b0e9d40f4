import { describe, it } from "@effect/vitest"
import { type CustomerCommand, Customers } from "../../../src/catalog/Customer.ts"
import { CustomerId } from "../../../src/order/OrderId.ts"
import { given } from "../../../src/testing/Given.ts"
import * as AggregateLaws from "../../../src/testing/laws/AggregateLaws.ts"

const customerId = CustomerId.make("ada")
const details = { name: "Ada Lovelace", email: "ada@example.org" }
const save: CustomerCommand = { _tag: "SaveCustomer", customerId, ...details }
const withdraw: CustomerCommand = { _tag: "WithdrawCustomer", customerId }
const saved = { _tag: "CustomerSaved", ...details } as const
const withdrawn = { _tag: "CustomerWithdrawn" } as const

describe("a customer", () => {
  it("saved as before records nothing; another name or e-mail does", () => {
    const { when } = given(Customers, [saved])
    when(save).thenNothing()
    when({ ...save, name: "Ada" }).then([{ ...saved, name: "Ada" }])
    when({ ...save, email: "a@b" }).then([{ ...saved, email: "a@b" }])
  })

  it("is withdrawn once, and comes back by saving", () => {
    given(Customers, [saved]).when(withdraw).then([withdrawn])
    const { when } = given(Customers, [saved, withdrawn])
    when(withdraw).thenNothing()
    when(save).then([saved])
  })

  it("who never was can't be withdrawn", () =>
    given(Customers, []).when(withdraw).thenRejects("CustomerNotFound", { customerId }))
})

AggregateLaws.suite(Customers)
