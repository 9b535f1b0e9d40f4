/**
 * Computes the money of an order from its state: what it costs, what was paid, and what may still be moved. Prices are
 * multiplied and added in BigInt, so that no amount is ever rounded by accident.
 */
import { Schema } from "effect"
import type { Line } from "./Line.ts"
import { Amount } from "./Money.ts"
import type { Order, OrderLine, Payment } from "./OrderState.ts"

/** Amounts are in minor units of the order's currency. */
export const OrderTotals = Schema.Struct({
  subtotal: Amount,
  discount: Amount,
  tax: Amount,
  shipping: Amount,
  total: Amount,
  /** The goods that came back make the order so much cheaper. */
  returned: Amount,
  /** The customer has to pay this for what is kept or still to be shipped; nothing once the order is cancelled. */
  owed: Amount,
  /** This amount is still to be captured; a negative one is owed to the customer. */
  balanceDue: Schema.Int
})
export type OrderTotals = typeof OrderTotals.Type

type PricedLine = Pick<Line, "quantity" | "unitPrice" | "unitDiscount" | "taxBps"> & { readonly cancelled?: number }

/** An order, or a command that is about to make one, has these. */
interface Priced {
  readonly lines: ReadonlyArray<PricedLine>
  readonly shippingCost: number
}

const limit = BigInt(Number.MAX_SAFE_INTEGER)

/** Rounds to the nearest integer and half to the even neighbour (IEEE 754's ties-to-even); `dividend` must be ≥ 0. */
export const divideHalfEven = (dividend: bigint, divisor: bigint): bigint => {
  const quotient = dividend / divisor
  const twice = 2n * (dividend % divisor)
  return twice > divisor || (twice === divisor && quotient % 2n === 1n) ? quotient + 1n : quotient
}

const priceLine = (line: PricedLine) => {
  const quantity = BigInt(line.quantity - (line.cancelled ?? 0))
  const net = quantity * BigInt(line.unitPrice - line.unitDiscount)
  return {
    subtotal: quantity * BigInt(line.unitPrice),
    discount: quantity * BigInt(line.unitDiscount),
    net,
    tax: divideHalfEven(net * BigInt(line.taxBps), 10_000n)
  }
}

const sum = ({ lines, shippingCost }: Priced) => {
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

/** Returns false if an amount would not be a safe integer; such an order is never placed, nor edited into being. */
export const isRepresentable = (order: Priced): boolean => {
  const { subtotal, tax, total } = sum(order)
  return subtotal <= limit && tax <= limit && total <= limit
}

/** Tells whether the order stays representable if some line whose quantity is 1 has one piece more. */
export const hasRoomForOneMore = (order: Priced): boolean => {
  const sums = sum(order)
  const fits = (line: PricedLine): boolean => {
    const [one, two] = [priceLine(line), priceLine({ ...line, quantity: 2 })]
    const grown = { subtotal: two.subtotal - one.subtotal, tax: two.tax - one.tax, net: two.net - one.net }
    const total = sums.total + grown.net + grown.tax
    return sums.subtotal + grown.subtotal <= limit && sums.tax + grown.tax <= limit && total <= limit
  }
  return order.lines.some((line) => line.quantity === 1 && fits(line))
}

export const ofLine = (line: OrderLine): { readonly net: number; readonly tax: number } => {
  const { net, tax } = priceLine(line)
  return { net: Number(net), tax: Number(tax) }
}

export const total = (order: Priced): number => Number(sum(order).total)

/** Computes what the total would be without the goods that came back. */
const kept = (order: Order): bigint => {
  if (order.returns.length === 0) return sum(order).total
  const lines = order.lines.map((line) => ({ ...line, cancelled: line.cancelled + line.returned }))
  return sum({ lines, shippingCost: order.shippingCost }).total
}

/** Computes what the customer has to pay for what is kept or still to be shipped: the total less what came back. */
export const owed = (order: Order): number => (order.cancellation === undefined ? Number(kept(order)) : 0)

/**
 * Adds up what the goods that came back are worth by themselves, rounded line by line: return by return, or taken
 * together, whichever is more. It may differ by rounding from what they make the order cheaper.
 */
export const worthReturned = (order: Order): number => {
  const worth = (line: OrderLine, quantity: number): bigint => {
    const { net, tax } = priceLine({ ...line, quantity, cancelled: 0 })
    return net + tax
  }
  const line = new Map(order.lines.map((line) => [line.lineId, line]))
  let [single, together] = [0n, 0n]
  for (const { items } of order.returns) {
    for (const { lineId, quantity } of items) single += worth(line.get(lineId)!, quantity)
  }
  for (const line of order.lines) together += worth(line, line.returned)
  return Number(single > together ? single : together)
}

/** Adds up what was captured and not refunded. */
export const paid = (order: Order): number =>
  order.payments.reduce((sum, payment) => sum + payment.captured - payment.refunded, 0)

/** Adds up what was authorized and neither captured nor voided. */
export const open = (order: Order): number => order.payments.reduce((sum, payment) => sum + voidable(payment), 0)

/** Adds up what was refunded, and apart from it what of that was goodwill: given without goods coming back. */
export const refunds = (order: Order): { readonly refunded: number; readonly goodwill: number } =>
  order.payments.reduce(
    (sum, payment) => ({
      refunded: sum.refunded + payment.refunded,
      goodwill: sum.goodwill + (payment.goodwill ?? 0)
    }),
    { refunded: 0, goodwill: 0 }
  )

/** Computes what is still to be captured; a negative amount is owed to the customer. */
export const balanceDue = (order: Order): number => owed(order) - paid(order)

/** Computes what may still be authorized: with it, what is open and what is paid never exceed what is owed. */
export const authorizable = (order: Order): number => Math.max(0, balanceDue(order) - open(order))

/**
 * Computes what may still be captured from this payment: the rest of its authorization, but no more than is unpaid,
 * since items may have been cancelled or returned after it was authorized.
 */
export const capturable = (order: Order, payment: Payment): number =>
  Math.max(0, Math.min(voidable(payment), balanceDue(order)))

/** Computes what was captured from this payment and not refunded. */
export const refundable = (payment: Payment): number => payment.captured - payment.refunded

/** Computes what voiding this payment would release. */
export const voidable = (payment: Payment): number => (payment.voided ? 0 : payment.authorized - payment.captured)

export const ofOrder = (order: Order): OrderTotals => {
  const sums = sum(order)
  const [total, due] = [Number(sums.total), owed(order)]
  return {
    subtotal: Number(sums.subtotal),
    discount: Number(sums.discount),
    tax: Number(sums.tax),
    shipping: order.shippingCost,
    total,
    returned: order.cancellation === undefined ? total - due : 0,
    owed: due,
    balanceDue: due - paid(order)
  }
}
