/**
 * The laws of aggregates and of orders under each policy, checked on so many random lives of orders. The title tells the
 * seed: `SEED=… npm run test:unit` checks the same lives again.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as OrderAggregate from "../../src/order/OrderAggregate.ts"
import type { OrderCommand } from "../../src/order/OrderCommand.ts"
import * as OrderDecider from "../../src/order/OrderDecider.ts"
import { defaultPolicies, type OrderPolicies } from "../../src/order/OrderPolicies.ts"
import { OrderState } from "../../src/order/OrderState.ts"
import { rejectionsOf } from "../../src/order/rules/RejectionsOf.ts"
import { deciderLaws, type Law } from "../../src/testing/DeciderLaws.ts"
import { orderCommands } from "../../src/testing/OrderCommands.ts"
import { orderLaws } from "../../src/testing/OrderLaws.ts"
import { trace } from "../../src/testing/Trace.ts"
import { seed } from "../fixtures/SeededRandom.ts"

const cases: ReadonlyArray<OrderPolicies> = [
  defaultPolicies,
  { autoConfirm: false, shipRequires: "authorized" },
  { autoConfirm: true, shipRequires: "captured" }
]

const listedRejections = (policies: OrderPolicies): Law<OrderCommand> => {
  const decider = OrderDecider.make(policies)
  return {
    name: "a command meets only the rejections that are listed for it",
    check: (commands) => {
      for (const [index, { command, decision }] of trace(decider, commands).steps.entries()) {
        const onNothing = decider.decide(command, decider.initialState)
        for (const decided of index === 0 ? [decision] : [decision, onNothing]) {
          if (Result.isFailure(decided)) assert.include(rejectionsOf[command._tag], decided.failure._tag, command._tag)
        }
      }
    }
  }
}

const lawsUnder = (policies: OrderPolicies): ReadonlyArray<Law<OrderCommand>> => [
  ...deciderLaws({
    aggregate: OrderAggregate.make(policies),
    state: OrderState,
    version: (state) => (state._tag === "Order" ? state.version : 0)
  }),
  ...orderLaws(policies),
  listedRejections(policies)
]

export const orderLawSuite = (runs: number): void =>
  describe.each(cases)(`an order, shipRequires $shipRequires, ${runs} random lives (SEED=${seed})`, (policies) => {
    for (const law of lawsUnder(policies)) {
      it.effect.prop(law.name, [orderCommands], ([commands]) => Effect.sync(() => law.check(commands)), {
        arbitrary: { runs, size: 60, seed: [seed, policies.shipRequires, law.name].join() }
      })
    }
  })
