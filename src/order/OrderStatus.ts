/** Computes the two statuses of an order, of its goods and of its money; they are never stored in its state. */
import { Schema } from "effect"
import type { Order, OrderLine } from "./OrderState.ts"
import * as OrderTotals from "./OrderTotals.ts"

export const OrderStatus = Schema.Literals([
  "placed",
  "confirmed",
  "partially_shipped",
  "shipped",
  "delivered",
  "returned",
  "cancelled"
])
export type OrderStatus = typeof OrderStatus.Type

export const PaymentStatus = Schema.Literals([
  "unpaid",
  "authorized",
  "partially_paid",
  "paid",
  "partially_refunded",
  "refunded",
  "voided"
])
export type PaymentStatus = typeof PaymentStatus.Type

/** Counts the items of a line that are neither cancelled nor shipped. */
export const outstanding = (line: OrderLine): number => line.quantity - line.cancelled - line.shipped

/** Tells how far the goods are; the first condition that holds decides. */
export const status = (order: Order): OrderStatus => {
  if (order.cancellation !== undefined) return "cancelled"
  if (order.confirmedAt === undefined) return "placed"
  if (order.lines.every((line) => line.shipped === 0)) return "confirmed"
  if (order.lines.some((line) => outstanding(line) > 0)) return "partially_shipped"
  if (order.lines.every((line) => line.returned === line.shipped)) return "returned"
  if (order.shipments.every((shipment) => shipment.deliveredAt !== undefined)) return "delivered"
  return "shipped"
}

/**
 * Tells how far the money is; the first condition that holds decides. A free order counts as paid; one that came back
 * before anything was paid does not.
 */
export const paymentStatus = (order: Order): PaymentStatus => {
  const { payments } = order
  const captured = payments.some((payment) => payment.captured > 0)
  if (captured && payments.every((payment) => payment.refunded === payment.captured)) return "refunded"
  if (payments.some((payment) => payment.refunded > 0)) return "partially_refunded"
  const isFree = order.cancellation === undefined && OrderTotals.total(order) === 0
  if (captured ? OrderTotals.paid(order) >= OrderTotals.owed(order) : isFree) return "paid"
  if (captured) return "partially_paid"
  if (OrderTotals.open(order) > 0) return "authorized"
  return payments.length > 0 ? "voided" : "unpaid"
}
