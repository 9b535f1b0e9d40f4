import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { OrderAggregate, OrderDecider, OrderState, OrderStreams } from "ordinal/order"
import { AggregateLaws, deciderLaws, fold, given, orderCommands, orderId, trace } from "ordinal/testing"
import { Limits, Purchases } from "../../../examples/CreditLimit.ts"
import { GiftCards } from "../../../examples/GiftCard.ts"

describe("the examples in the docstrings of the kit", () => {
  const version = (state: OrderState) => (state._tag === "Absent" ? 0 : state.version)
  for (const law of deciderLaws({ aggregate: OrderAggregate, state: OrderState, version })) {
    it.effect.prop(law.name, [orderCommands], ([commands]) => Effect.sync(() => law.check(commands)), {
      arbitrary: { runs: 5 }
    })
  }

  it("fold, given and trace do what their examples say", () => {
    assert.strictEqual(fold(OrderDecider, []), OrderDecider.initialState)

    given(OrderStreams, []).when({ _tag: "ConfirmOrder", orderId }).thenRejects("OrderNotFound")

    const { events, states, steps } = trace(OrderDecider, [{ _tag: "ConfirmOrder", orderId }])
    assert.deepStrictEqual([events.length, states.length, steps.length], [0, 1, 1])
  })
})

AggregateLaws.suite(GiftCards)
AggregateLaws.suite(Limits)
AggregateLaws.suite(Purchases)
