/**
 * The laws of aggregates and of orders under each policy, checked on so many random lives of orders. The title tells the
 * seed: `SEED=… npm run test:unit` checks the same lives again.
 */
import { assert, describe } from "@effect/vitest"
import { Result } from "effect"
import * as OrderDecider from "../../src/order/OrderDecider.ts"
import { defaultPolicies, type OrderPolicies } from "../../src/order/OrderPolicies.ts"
import { rejectionsOf } from "../../src/order/rules/RejectionsOf.ts"
import * as AggregateLaws from "../../src/testing/laws/AggregateLaws.ts"
import { type OrderLaw, orderLaws, ordersUnder } from "../../src/testing/OrderLaws.ts"
import { seed } from "../fixtures/SeededRandom.ts"

const cases: ReadonlyArray<OrderPolicies> = [
  defaultPolicies,
  { autoConfirm: false, shipRequires: "authorized" },
  { autoConfirm: true, shipRequires: "captured" }
]

const listedRejections = (policies: OrderPolicies): OrderLaw => {
  const decider = OrderDecider.make(policies)
  return {
    name: "a command meets only the rejections that are listed for it",
    check: ({ steps }) => {
      for (const { command, decision } of steps) {
        for (const decided of [decision, decider.decide(command, decider.initialState)]) {
          if (Result.isFailure(decided)) assert.include(rejectionsOf[command._tag], decided.failure._tag, command._tag)
        }
      }
    }
  }
}

export const orderLawSuite = (runs: number): void =>
  describe.each(cases)(`an order, shipRequires $shipRequires, ${runs} random lives (SEED=${seed})`, (policies) => {
    AggregateLaws.suite(ordersUnder(policies), {
      runs,
      length: 60,
      seed: `${seed} ${policies.shipRequires}`,
      laws: [...orderLaws(policies), listedRejections(policies)],
      repeats: "nothing",
      unreached: "anything"
    })
  })
