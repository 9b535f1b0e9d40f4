/** The decisions that a shop makes once for all its orders: settings of the server, a layer of an embedder. */
import { Context } from "effect"
import type { Order } from "./OrderState.ts"
import { authorizable, paid, total } from "./OrderTotals.ts"

export interface OrderPolicies {
  /** Confirms an order as it is placed, unless the caller says otherwise. */
  readonly autoConfirm: boolean
  /** How much of the total must have been authorized or captured before items may be shipped. */
  readonly shipRequires: "confirmed" | "authorized" | "captured"
}

export const defaultPolicies: OrderPolicies = { autoConfirm: true, shipRequires: "confirmed" }

export const OrderPolicies = Context.Reference<OrderPolicies>("ordinal/order/OrderPolicies", {
  defaultValue: () => defaultPolicies
})

/** The amount that is still missing before items may be shipped; 0 if they may. */
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
