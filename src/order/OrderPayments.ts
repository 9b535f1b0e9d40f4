/** How much can still be moved, and how much must have been. Never negative. */
import type { Order, Payment } from "./OrderState.ts"
import type { OrderPolicies } from "./OrderPolicies.ts"
import * as OrderTotals from "./OrderTotals.ts"

const total = (order: Order): number => OrderTotals.total(order.lines, order.shippingCost)

/** Open and paid together never exceed the total by a new authorization. */
export const authorizable = (order: Order): number =>
  Math.max(0, total(order) - OrderTotals.open(order) - OrderTotals.paid(order))

/** What the authorization has left, but never more than the order costs: items may have been cancelled since. */
export const capturable = (order: Order, payment: Payment): number =>
  payment.voided
    ? 0
    : Math.max(0, Math.min(payment.authorized - payment.captured, total(order) - OrderTotals.paid(order)))

export const refundable = (payment: Payment): number => payment.captured - payment.refunded

export const voidable = (payment: Payment): number => (payment.voided ? 0 : payment.authorized - payment.captured)

/** What is missing before items may be shipped. */
export const missingForShipment = (order: Order, policies: OrderPolicies): number => {
  switch (policies.shipRequires) {
    case "confirmed":
      return 0
    case "authorized":
      return authorizable(order)
    case "captured":
      return Math.max(0, total(order) - OrderTotals.paid(order))
  }
}
