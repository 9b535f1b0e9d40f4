/**
 * A shop decides these things once for all its orders: by the server's settings, or by a layer in an embedding program.
 */
import { Context } from "effect"
import type { Order } from "./OrderState.ts"
import { authorizable, paid, total } from "./OrderTotals.ts"

export interface OrderPolicies {
  /** Confirms an order as it is placed, unless the caller says otherwise. */
  readonly autoConfirm: boolean
  /** Says how much must have happened to the whole total before items may be shipped. */
  readonly shipRequires: "confirmed" | "authorized" | "captured"
}

export const defaultPolicies: OrderPolicies = { autoConfirm: true, shipRequires: "confirmed" }

export const OrderPolicies = Context.Reference<OrderPolicies>("ordinal/order/OrderPolicies", {
  defaultValue: () => defaultPolicies
})

/** Computes the amount that is missing before items may be shipped; 0 if they may. */
export const missingForShipment = (order: Order, { shipRequires }: OrderPolicies): number => {
  switch (shipRequires) {
    case "confirmed":
      return 0
    case "authorized":
      return authorizable(order)
    case "captured":
      return Math.max(0, total(order) - paid(order))
  }
}
