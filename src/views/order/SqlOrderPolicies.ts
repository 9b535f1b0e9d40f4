/**
 * Completes the shop's policies with what its log has: the policy of orders from before orders kept one. A shop whose
 * newest order was placed under another policy than this process has is told so at the start.
 */
import { Effect, Layer } from "effect"
import { Database } from "../../database/Database.ts"
import { orUnavailable, withinSeconds } from "../../database/SqlFailure.ts"
import type { ShipRequires } from "../../order/OrderEvent.ts"
import { OrderPolicies } from "../../order/OrderPolicies.ts"

interface Row {
  readonly shipRequires: ShipRequires
}

export const make = Effect.gen(function* () {
  const policies = yield* OrderPolicies
  const { projections: sql } = yield* Database
  const { shipRequires } = policies

  const [kept] = yield* sql<Row>`SELECT ordinal.founding_ship_requires(${shipRequires}) AS "shipRequires"`.pipe(
    orUnavailable,
    withinSeconds(6)
  )
  const foundingShipRequires = kept?.shipRequires ?? shipRequires

  // The view is asked, since the log has no index that leads to its newest order; a view that fails says nothing.
  const [newest] = yield* sql<Row>`
    SELECT coalesce(state ->> 'shipRequires', ${foundingShipRequires}) AS "shipRequires"
    FROM ordinal.order_view ORDER BY placed_at DESC, order_id DESC LIMIT 1`.pipe(
    orUnavailable,
    withinSeconds(6),
    Effect.sandbox,
    Effect.orElseSucceed(() => [])
  )
  if (newest !== undefined && newest.shipRequires !== shipRequires) {
    yield* Effect.logWarning(
      `The newest order was placed under shipRequires "${newest.shipRequires}", and this process has "${shipRequires}". ` +
        "Each order keeps the policy it was placed under; give all processes the same setting."
    )
  }
  return { ...policies, foundingShipRequires }
})

export const layer = Layer.effect(OrderPolicies, make)
