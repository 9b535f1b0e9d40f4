import { assert, describe, it } from "@effect/vitest"
import { OrderDecider, OrderStreams } from "ordinal/order"
import { AggregateLaws, fold, given, orderId, trace } from "ordinal/testing"
import { GiftCards } from "../../../examples/gift-card/src/GiftCard.ts"
import { Reservations, Stock } from "../../../examples/stock-reservation/src/Stock.ts"

describe("the examples in the docstrings of the kit", () => {
  it("fold, given and trace do what their examples say", () => {
    assert.strictEqual(fold(OrderDecider, []), OrderDecider.initialState)

    given(OrderStreams, []).when({ _tag: "ConfirmOrder", orderId }).thenRejects("OrderNotFound")

    const { events, states, steps } = trace(OrderDecider, [{ _tag: "ConfirmOrder", orderId }])
    assert.deepStrictEqual([events.length, states.length, steps.length], [0, 1, 1])
  })
})

AggregateLaws.suite(GiftCards)
AggregateLaws.suite(Stock)
AggregateLaws.suite(Reservations)
