import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as OrderAggregate from "../../../src/order/OrderAggregate.ts"
import { defaultPolicies, type OrderPolicies } from "../../../src/order/OrderPolicies.ts"
import { OrderState } from "../../../src/order/OrderState.ts"
import { deciderLaws } from "../../../src/testing/DeciderLaws.ts"
import { orderCommands } from "../../../src/testing/OrderCommands.ts"
import { orderLaws } from "../../../src/testing/OrderLaws.ts"

const cases: ReadonlyArray<OrderPolicies> = [
  defaultPolicies,
  { autoConfirm: false, shipRequires: "authorized" },
  { autoConfirm: true, shipRequires: "captured" }
]

describe.each(cases)("an order, shipRequires $shipRequires", (policies) => {
  const laws = [
    ...deciderLaws({
      aggregate: OrderAggregate.make(policies),
      state: OrderState,
      version: (state) => (state._tag === "Order" ? state.version : 0)
    }),
    ...orderLaws(policies)
  ]
  for (const law of laws) {
    it.effect.prop(law.name, [orderCommands], ([commands]) => Effect.sync(() => law.check(commands)), {
      arbitrary: { runs: 150, size: 60 }
    })
  }
})
