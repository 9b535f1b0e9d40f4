import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as OrderDecider from "../../../src/order/OrderDecider.ts"
import type { OrderPolicies } from "../../../src/order/OrderPolicies.ts"
import { rejectionsOf } from "../../../src/order/OrderRejection.ts"
import { orderCommands } from "../../../src/testing/OrderCommands.ts"
import { trace } from "../../../src/testing/Trace.ts"

const cases: ReadonlyArray<OrderPolicies> = [
  { autoConfirm: false, shipRequires: "confirmed" },
  { autoConfirm: true, shipRequires: "captured" }
]

describe.each(cases)("rejections, shipRequires $shipRequires", (policies) => {
  const decider = OrderDecider.make(policies)

  it.effect.prop(
    "a command meets none but those that are listed for it",
    [orderCommands],
    ([commands]) =>
      Effect.sync(() => {
        for (const [index, { command, decision }] of trace(decider, commands).steps.entries()) {
          const onNothing = decider.decide(command, decider.initialState)
          for (const decided of index === 0 ? [decision] : [decision, onNothing]) {
            if (Result.isFailure(decided))
              assert.include(rejectionsOf[command._tag], decided.failure._tag, command._tag)
          }
        }
      }),
    { arbitrary: { runs: 300, size: 60 } }
  )
})
