/** What an order costs: pure, in BigInt, so that no product or sum is ever rounded by accident. */
import { Schema } from "effect"
import type { Line } from "./Line.ts"
import { Amount } from "./Money.ts"
import type { Order, OrderLine } from "./OrderState.ts"

export const OrderTotals = Schema.Struct({
  subtotal: Amount,
  discount: Amount,
  tax: Amount,
  shipping: Amount,
  total: Amount,
  /** What is still to be captured; negative: a refund is owed. */
  balanceDue: Schema.Int
})
export type OrderTotals = typeof OrderTotals.Type

type Priced = Pick<Line, "quantity" | "unitPrice" | "unitDiscount" | "taxBps"> & { readonly cancelled?: number }

const limit = BigInt(Number.MAX_SAFE_INTEGER)

/** Half goes to the even neighbour. For non-negative `dividend`. */
export const divideHalfEven = (dividend: bigint, divisor: bigint): bigint => {
  const quotient = dividend / divisor
  const twice = 2n * (dividend % divisor)
  return twice > divisor || (twice === divisor && quotient % 2n === 1n) ? quotient + 1n : quotient
}

const priceLine = (line: Priced) => {
  const quantity = BigInt(line.quantity - (line.cancelled ?? 0))
  const net = quantity * BigInt(line.unitPrice - line.unitDiscount)
  return {
    subtotal: quantity * BigInt(line.unitPrice),
    discount: quantity * BigInt(line.unitDiscount),
    net,
    tax: divideHalfEven(net * BigInt(line.taxBps), 10_000n)
  }
}

const sum = (lines: ReadonlyArray<Priced>, shippingCost: number) => {
  const shipping = BigInt(shippingCost)
  const sums = { subtotal: 0n, discount: 0n, tax: 0n, shipping, total: shipping }
  for (const line of lines) {
    const price = priceLine(line)
    sums.subtotal += price.subtotal
    sums.discount += price.discount
    sums.tax += price.tax
    sums.total += price.net + price.tax
  }
  return sums
}

/** False if an amount would not be a safe integer; such an order is never placed, nor edited into being. */
export const isRepresentable = (lines: ReadonlyArray<Priced>, shippingCost: number): boolean => {
  const { subtotal, tax, total } = sum(lines, shippingCost)
  return subtotal <= limit && tax <= limit && total <= limit
}

export const ofLine = (line: OrderLine): { readonly net: number; readonly tax: number } => {
  const { net, tax } = priceLine(line)
  return { net: Number(net), tax: Number(tax) }
}

export const total = (lines: ReadonlyArray<Priced>, shippingCost: number): number =>
  Number(sum(lines, shippingCost).total)

/** Captured and not refunded. */
export const paid = (order: Order): number =>
  order.payments.reduce((sum, payment) => sum + payment.captured - payment.refunded, 0)

/** Authorized, neither captured nor voided. */
export const open = (order: Order): number =>
  order.payments.reduce((sum, payment) => (payment.voided ? sum : sum + payment.authorized - payment.captured), 0)

export const ofOrder = (order: Order): OrderTotals => {
  const sums = sum(order.lines, order.shippingCost)
  const total = Number(sums.total)
  return {
    subtotal: Number(sums.subtotal),
    discount: Number(sums.discount),
    tax: Number(sums.tax),
    shipping: order.shippingCost,
    total,
    balanceDue: (order.cancellation === undefined ? total : 0) - paid(order)
  }
}
