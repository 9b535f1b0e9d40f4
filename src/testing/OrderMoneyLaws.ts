/**
 * Checks the laws of an order's money: L8 recomputes its amounts in another way than `OrderTotals` does, and what
 * follows holds for payments and for shipments that wait for them. A broken law throws, and shows the order that breaks
 * it.
 */
import { Equal, Result } from "effect"
import type { OrderCommand } from "../order/OrderCommand.ts"
import type { OrderDecider } from "../order/OrderDecider.ts"
import { PaymentId, ShipmentId } from "../order/OrderId.ts"
import { type Order, type OrderLine, type OrderState } from "../order/OrderState.ts"
import { outstanding, paymentStatus, status } from "../order/OrderStatus.ts"
import * as OrderTotals from "../order/OrderTotals.ts"
import { insist } from "./laws/Law.ts"
import { timeOf } from "./Given.ts"
import { orders, type OrderTrace } from "./OrderStateLaws.ts"

/** Computes the tax of a net amount: rounds up, and then corrects ties. */
const taxOf = (net: bigint, taxBps: number): bigint => {
  const exact = net * BigInt(taxBps)
  const up = (exact + 5_000n) / 10_000n
  return exact % 10_000n === 5_000n && up % 2n === 1n ? up - 1n : up
}

/** Adds up the lines unit by unit, without the units that `without` counts. */
const recompute = (lines: ReadonlyArray<OrderLine>, shipping: number, without: (line: OrderLine) => number) => {
  let [subtotal, discount, tax] = [0n, 0n, 0n]
  for (const line of lines) {
    let net = 0n
    for (let unit = without(line); unit < line.quantity; unit++) {
      subtotal += BigInt(line.unitPrice)
      discount += BigInt(line.unitDiscount)
      net += BigInt(line.unitPrice) - BigInt(line.unitDiscount)
    }
    tax += taxOf(net, line.taxBps)
  }
  return { subtotal, discount, tax, total: subtotal - discount + tax + BigInt(shipping) }
}

const paidOf = ({ payments }: Order) => {
  let [captured, refunded, goodwill, open] = [0, 0, 0, 0]
  for (const payment of payments) {
    captured += payment.captured
    refunded += payment.refunded
    goodwill += payment.goodwill ?? 0
    if (!payment.voided) open += payment.authorized - payment.captured
  }
  return { captured, refunded, goodwill, open }
}

/** L8: totals equal an independent recomputation, and every amount is a safe integer. */
export const totals = ({ states }: OrderTrace): void => {
  for (const order of orders(states)) {
    const found = OrderTotals.ofOrder(order)
    const { lines, shippingCost } = order
    const { discount, subtotal, tax, total } = recompute(lines, shippingCost, (line) => line.cancelled)
    const kept = recompute(lines, shippingCost, (line) => line.cancelled + line.returned).total
    const owed = order.cancellation === undefined ? kept : 0n
    const { captured, refunded } = paidOf(order)
    const expected = {
      subtotal: Number(subtotal),
      discount: Number(discount),
      tax: Number(tax),
      shipping: shippingCost,
      total: Number(total),
      returned: order.cancellation === undefined ? Number(total - kept) : 0,
      owed: Number(owed),
      balanceDue: Number(owed) - captured + refunded
    }
    insist(Equal.equals(found, expected), "The totals differ from their recomputation", { found, expected })
    insist(Object.values(found).every(Number.isSafeInteger), "An amount is not a safe integer", found)
  }
}

/** Authorized and captured amounts never exceed what is owed, and an order is paid only by money, unless it is free. */
export const payments = ({ events, states }: OrderTrace): void => {
  for (const [index, event] of events.entries()) {
    const order = states[index + 1]
    if (order?._tag !== "Order") continue
    const { captured, open, refunded } = paidOf(order)
    const { owed, total } = OrderTotals.ofOrder(order)
    const held = captured - refunded
    if (event._tag === "PaymentAuthorized") insist(open + held <= owed, "More was authorized than is owed", order)
    if (event._tag === "PaymentCaptured") insist(held <= owed, "More was captured than is owed", order)
    const isFree = total === 0 && order.cancellation === undefined
    const isPaid = refunded === 0 && (captured === 0 ? isFree : held >= owed)
    insist((paymentStatus(order) === "paid") === isPaid, "The payment status is wrong about being paid", order)
  }
}

/** An order whose goods all came back costs no more than its shipping, so the rest of what was paid is owed back. */
export const returns = ({ states }: OrderTrace): void => {
  for (const order of orders(states)) {
    if (status(order) !== "returned") continue
    const { balanceDue, owed, shipping } = OrderTotals.ofOrder(order)
    const { captured, refunded } = paidOf(order)
    insist(owed === shipping && balanceDue === shipping - captured + refunded, "Goods that came back cost money", order)
  }
}

/**
 * Adds up the value of all returned items the way a shop refunds them: each item of each return is rounded by itself.
 */
const refundable = ({ lines, returns }: Order): bigint => {
  let sum = 0n
  for (const { items } of returns) {
    for (const { lineId, quantity } of items) {
      const line = lines.find((line) => line.lineId === lineId)
      if (line === undefined) continue
      const net = BigInt(quantity) * BigInt(line.unitPrice - line.unitDiscount)
      sum += net + taxOf(net, line.taxBps)
    }
  }
  return sum
}

/**
 * A shipment that waits for money can always be paid for, with exactly what is said to be missing. It never waits if
 * all was paid and nothing given back but goodwill and what came back.
 */
export const shipments = (decider: OrderDecider, { states }: OrderTrace): void => {
  const run = (state: OrderState, command: OrderCommand): OrderState | undefined => {
    const decision = decider.decide(command, state)
    if (Result.isFailure(decision)) return undefined
    return decision.success.reduce((to, event) => decider.evolve(to, event, timeOf(0)), state)
  }
  for (const order of orders(states)) {
    if (order.cancellation !== undefined || order.confirmedAt === undefined) continue
    const line = order.lines.find((line) => outstanding(line) > 0)
    if (line === undefined) continue
    const orderId = order.id
    const ship: OrderCommand = {
      _tag: "ShipItems",
      orderId,
      shipmentId: ShipmentId.make("waits"),
      items: [{ lineId: line.lineId, quantity: 1 }]
    }
    const { captured, goodwill, open, refunded } = paidOf(order)
    const isPaid = captured >= OrderTotals.ofOrder(order).total && refunded - goodwill <= refundable(order)
    const shipped = decider.decide(ship, order)
    insist(Result.isSuccess(shipped) || !isPaid, "A paid order that refunded only what came back must ship", order)
    if (Result.isSuccess(shipped) || shipped.failure._tag !== "PaymentRequiredBeforeShipment") continue
    const { missing, required } = shipped.failure
    const paymentId = PaymentId.make("missing")
    const byCapture = required === "captured" ? Math.min(open, missing) : 0
    let paid: OrderState | undefined = order
    for (const payment of byCapture > 0 ? order.payments : []) {
      const capture: OrderCommand = { _tag: "CapturePayment", orderId, paymentId: payment.paymentId }
      if (paid !== undefined) paid = run(paid, capture) ?? paid
    }
    if (missing > byCapture && paid !== undefined) {
      paid = run(paid, { _tag: "AuthorizePayment", orderId, paymentId, amount: missing - byCapture })
      if (required === "captured" && paid !== undefined)
        paid = run(paid, { _tag: "CapturePayment", orderId, paymentId })
    }
    insist(paid !== undefined && run(paid, ship) !== undefined, "What was missing is paid, and it does not ship", order)
  }
}
