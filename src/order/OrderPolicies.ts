import { Context } from "effect"

/** What a shop decides once for all its orders. */
export interface OrderPolicies {
  /** Confirm an order as it is placed, unless the caller says otherwise. */
  readonly autoConfirm: boolean
  /** How far the payment must be before items may be shipped. */
  readonly shipRequires: "confirmed" | "authorized" | "captured"
}

export const defaultPolicies: OrderPolicies = { autoConfirm: true, shipRequires: "confirmed" }

export const OrderPolicies = Context.Reference<OrderPolicies>("ordinal/order/OrderPolicies", {
  defaultValue: () => defaultPolicies
})
