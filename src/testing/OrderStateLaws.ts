/**
 * The laws L5 to L7 of an order look only at states; each is checked on every state of a trace. A broken law throws,
 * and shows the line, payment or event that breaks it.
 */
import type { OrderCommand } from "../order/OrderCommand.ts"
import type { OrderEvent } from "../order/OrderEvent.ts"
import type { OrderRejection } from "../order/OrderRejection.ts"
import type { Order, OrderState } from "../order/OrderState.ts"
import { status } from "../order/OrderStatus.ts"
import { insist } from "./laws/Law.ts"
import type { Trace } from "./Trace.ts"

/** Records the life of one order, as commands were decided one after another. */
export type OrderTrace = Trace<OrderState, OrderCommand, OrderEvent, OrderRejection>

/** Leaves out the states in which the order is absent. */
export const orders = (states: ReadonlyArray<OrderState>): ReadonlyArray<Order> =>
  states.filter((state) => state._tag === "Order")

/** L5: no line ships, cancels or returns more than it has. */
export const quantities = ({ states }: OrderTrace): void => {
  for (const { lines } of orders(states)) {
    for (const line of lines) {
      const { cancelled, quantity, returned, shipped } = line
      insist(
        cancelled >= 0 && shipped >= 0 && cancelled + shipped <= quantity,
        "A line must have cancelled + shipped ≤ ordered",
        line
      )
      insist(returned >= 0 && returned <= shipped, "A line must have returned ≤ shipped", line)
    }
  }
}

/** L6: no payment captures or refunds more than it has, and none captures after a void. */
export const amounts = ({ states }: OrderTrace): void => {
  const closed = new Map<string, number>()
  for (const { payments } of orders(states)) {
    for (const payment of payments) {
      const { authorized, captured, paymentId, refunded } = payment
      insist(
        0 <= refunded && refunded <= captured && captured <= authorized,
        "A payment must have refunded ≤ captured ≤ authorized",
        payment
      )
      if (payment.voided && !closed.has(paymentId)) closed.set(paymentId, captured)
      insist((closed.get(paymentId) ?? captured) === captured, "A voided payment was captured", payment)
    }
  }
}

const ranks = ["placed", "confirmed", "partially_shipped", "shipped", "delivered", "returned"]

/** L7: the status only moves up; an order is only cancelled before anything is shipped, and stays cancelled. */
export const movement = ({ events, states }: OrderTrace): void => {
  for (const [index, event] of events.entries()) {
    const [before, after] = [states[index], states[index + 1]]
    if (before?._tag !== "Order" || after?._tag !== "Order") continue
    const [from, to] = [status(before), status(after)]
    if (from === "cancelled") {
      insist(to === "cancelled", "A cancelled order must stay cancelled", event)
      insist(
        event._tag === "PaymentVoided" || event._tag === "PaymentRefunded",
        "A cancelled order may only void and refund",
        event
      )
    } else if (to === "cancelled") {
      insist(from === "placed" || from === "confirmed", `The order was cancelled while it was ${from}`, event)
    } else {
      insist(ranks.indexOf(to) >= ranks.indexOf(from), `The status moved down from ${from} to ${to}`, event)
    }
  }
}
