/**
 * A shop decides these things once for all its orders: by the server's settings, or by a layer in an embedding program.
 */
import { Context } from "effect"
import type { Order } from "./OrderState.ts"
import type { ShipRequires } from "./OrderEvent.ts"
import * as OrderTotals from "./OrderTotals.ts"

export interface OrderPolicies {
  /** Confirms an order as it is placed, unless the caller says otherwise. */
  readonly autoConfirm: boolean
  /** Orders that are placed from now on keep this: what must have happened before items may be shipped. */
  readonly shipRequires: ShipRequires
  /**
   * Holds for orders from before orders kept the policy, and never changes for a log: `SqlOrderPolicies` reads it.
   * Without it, `shipRequires` holds for them.
   */
  readonly foundingShipRequires?: ShipRequires
}

export const defaultPolicies: OrderPolicies = { autoConfirm: true, shipRequires: "confirmed" }

export const OrderPolicies = Context.Reference<OrderPolicies>("ordinal/order/OrderPolicies", {
  defaultValue: () => defaultPolicies
})

/** Gives the policy of an order: the one that it was placed under. */
export const shipRequiresOf = (order: Order, policies: OrderPolicies): ShipRequires =>
  order.shipRequires ?? policies.foundingShipRequires ?? policies.shipRequires

/**
 * Computes what counts as paid before a shipment. Goodwill was a gift, so it is not asked for again. Goods that came back
 * were refunded at what they are worth by themselves, which may be more, by rounding, than what they made the order
 * cheaper: that difference is not asked for again either.
 */
const paidBeforeShipment = (order: Order): number => {
  const { goodwill, refunded } = OrderTotals.refunds(order)
  const rounding = OrderTotals.worthReturned(order) - OrderTotals.ofOrder(order).returned
  return OrderTotals.paid(order) + goodwill + Math.min(refunded - goodwill, Math.max(0, rounding))
}

/** Computes the amount that is missing before items may be shipped; 0 if they may. */
export const missingForShipment = (order: Order, policies: OrderPolicies): number => {
  switch (shipRequiresOf(order, policies)) {
    case "confirmed":
      return 0
    case "authorized":
      return Math.max(0, OrderTotals.owed(order) - OrderTotals.open(order) - paidBeforeShipment(order))
    case "captured":
      return Math.max(0, OrderTotals.owed(order) - paidBeforeShipment(order))
  }
}
