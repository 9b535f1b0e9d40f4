import { assert, describe, it } from "@effect/vitest"
import { GiftCards } from "../../../examples/gift-card/src/GiftCard.ts"
import { given } from "../../../src/testing/Given.ts"

const issued = { _tag: "Issued", cents: 1_000 } as const
const redeem = (cents: number) => ({ _tag: "Redeem", cents, till: "7" }) as const
const redeemed = (cents: number) => ({ _tag: "Redeemed", cents, till: "7" }) as const

const messageOf = (test: () => void): string => {
  try {
    test()
  } catch (error) {
    return (error as Error).message
  }
  return assert.fail("the test did not fail")
}

describe("given, when, then", () => {
  it("holds for what follows", () => {
    const { state, when } = given(GiftCards, [issued])
    assert.deepStrictEqual(state, { issued: true, balance: 1_000 })
    when(redeem(400)).then([redeemed(400)])
    assert.deepStrictEqual(when(redeem(400)).state, { issued: true, balance: 600 })
    when({ _tag: "Issue", cents: 5 }).thenNothing()
    when({ _tag: "Issue", cents: 5 }).then([])
    when(redeem(1_001)).thenRejects("NotEnough")
    when(redeem(1_001)).thenRejects("NotEnough", { balance: 1_000 })
  })

  it("shows given, when, expected and got if something else follows", () => {
    const { when } = given(GiftCards, [issued, redeemed(400)])
    assert.strictEqual(
      messageOf(() => when(redeem(601)).then([redeemed(601), redeemed(0)])),
      `another decision was expected

  given     Issued { cents: 1000 }
            Redeemed { cents: 400, till: "7" }
  when      Redeem { cents: 601, till: "7" }
  expected  Redeemed { cents: 601, till: "7" }
            Redeemed { cents: 0, till: "7" }
  got       rejected with NotEnough { balance: 600 }
`
    )
    assert.include(
      messageOf(() => when(redeem(601)).thenRejects("NotEnough", { balance: 1 })),
      `
  expected  rejected with NotEnough { balance: 1 }
  got       rejected with NotEnough { balance: 600 }
`
    )
    assert.include(
      messageOf(() => when(redeem(1)).thenNothing()),
      `
  expected  nothing to do
  got       Redeemed { cents: 1, till: "7" }
`
    )
    assert.include(
      messageOf(() => when({ _tag: "Issue", cents: 1 }).thenRejects("NotEnough")),
      `
  expected  rejected with NotEnough
  got       nothing to do
`
    )
  })

  it("is typed by the tags and fields of the rejections", () => {
    const { when } = given(GiftCards, [])
    // @ts-expect-error there is no such rejection
    assert.throws(() => when(redeem(1)).thenRejects("NotThere"))
    // @ts-expect-error the rejection has no such field
    assert.throws(() => when(redeem(1)).thenRejects("NotEnough", { amount: 1 }))
    // @ts-expect-error the field is a number
    assert.throws(() => when(redeem(1)).thenRejects("NotEnough", { balance: "0" }))
  })
})
