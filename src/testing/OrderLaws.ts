/**
 * The laws that orders keep, L5 to L11, each checked on every state that commands lead to. L1 to L4 hold for every
 * aggregate and are in DeciderLaws. A broken law throws, and shows the state or command that breaks it.
 */
import { Equal, Result } from "effect"
import { allowed } from "../order/rules/OrderAllowed.ts"
import { CommandName, type OrderCommand } from "../order/OrderCommand.ts"
import * as OrderDecider from "../order/OrderDecider.ts"
import type { OrderEvent } from "../order/OrderEvent.ts"
import { ShipmentId } from "../order/OrderId.ts"
import type { OrderPolicies } from "../order/OrderPolicies.ts"
import type { OrderRejection } from "../order/OrderRejection.ts"
import type { Order, OrderLine, OrderState } from "../order/OrderState.ts"
import { outstanding, status } from "../order/OrderStatus.ts"
import * as OrderTotals from "../order/OrderTotals.ts"
import { insist, type Law } from "./DeciderLaws.ts"
import { hasOwnId, probes, withOtherContent } from "./OrderProbes.ts"
import { timeOf } from "./Given.ts"
import { type Trace, trace } from "./Trace.ts"

type OrderTrace = Trace<OrderState, OrderCommand, OrderEvent, OrderRejection>

const orders = (states: ReadonlyArray<OrderState>): ReadonlyArray<Order> =>
  states.filter((state) => state._tag === "Order")

/** L5: no line ships, cancels or returns more than it has. */
const quantities = ({ states }: OrderTrace): void => {
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
const amounts = ({ states }: OrderTrace): void => {
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
const movement = ({ events, states }: OrderTrace): void => {
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

/** Computes the totals in another way than OrderTotals: unit by unit, rounding up and then correcting ties. */
const recompute = (lines: ReadonlyArray<OrderLine>, shipping: number) => {
  let [subtotal, discount, tax] = [0n, 0n, 0n]
  for (const line of lines) {
    let net = 0n
    for (let unit = line.cancelled; unit < line.quantity; unit++) {
      subtotal += BigInt(line.unitPrice)
      discount += BigInt(line.unitDiscount)
      net += BigInt(line.unitPrice) - BigInt(line.unitDiscount)
    }
    const exact = net * BigInt(line.taxBps)
    const up = (exact + 5_000n) / 10_000n
    tax += exact % 10_000n === 5_000n && up % 2n === 1n ? up - 1n : up
  }
  return { subtotal, discount, tax, total: subtotal - discount + tax + BigInt(shipping) }
}

/** L8: totals equal an independent recomputation, and every amount is a safe integer. */
const totals = ({ states }: OrderTrace): void => {
  for (const order of orders(states)) {
    const found = OrderTotals.ofOrder(order)
    const { discount, subtotal, tax, total } = recompute(order.lines, order.shippingCost)
    const paid = order.payments.reduce((sum, payment) => sum + BigInt(payment.captured) - BigInt(payment.refunded), 0n)
    const expected = {
      subtotal: Number(subtotal),
      discount: Number(discount),
      tax: Number(tax),
      shipping: order.shippingCost,
      total: Number(total),
      balanceDue: Number((order.cancellation === undefined ? total : 0n) - paid)
    }
    insist(Equal.equals(found, expected), "The totals differ from their recomputation", { found, expected })
    insist(Object.values(found).every(Number.isSafeInteger), "An amount is not a safe integer", found)
  }
}

/**
 * Returns the laws L5 to L11 of an order under these policies. Check each with random commands:
 *
 *     for (const law of orderLaws(defaultPolicies)) {
 *       it.effect.prop(law.name, [orderCommands], ([commands]) => Effect.sync(() => law.check(commands)))
 *     }
 */
export const orderLaws = (policies: OrderPolicies): ReadonlyArray<Law<OrderCommand>> => {
  const decider = OrderDecider.make(policies)
  const stores = (state: OrderState, command: OrderCommand) =>
    Result.match(decider.decide(command, state), { onFailure: () => false, onSuccess: (events) => events.length > 0 })

  /** L9: repeating a command that carries an id stores nothing in every later state; other content is refused. */
  const repeats = ({ steps }: OrderTrace): void => {
    for (const [index, { command, decision }] of steps.entries()) {
      if (Result.isFailure(decision) || !hasOwnId(command)) continue
      const other = withOtherContent(command)
      for (const { after } of steps.slice(index)) {
        const again = decider.decide(command, after)
        insist(
          Result.isSuccess(again) && again.success.length === 0,
          "The repeat of a command must store nothing",
          command
        )
        if (other === undefined) continue
        const reused = Result.getFailure(decider.decide(other, after))
        const tag = reused._tag === "Some" ? reused.value._tag : "accepted"
        insist(tag === (command._tag === "PlaceOrder" ? "OrderExists" : "IdReused"), "A reused id must be refused", {
          tag,
          other
        })
      }
    }
  }

  const ship = (order: Order, state: OrderState, id: string, line: OrderLine, quantity: number): OrderState => {
    const items = [{ lineId: line.lineId, quantity }] as const
    const shipmentId = ShipmentId.make(id)
    const command: OrderCommand = { _tag: "ShipItems", orderId: order.id, shipmentId, items }
    const decision = decider.decide(command, state)
    insist(Result.isSuccess(decision), "An allowed shipment was rejected", command)
    return Result.getOrElse(decision, () => []).reduce((to, event) => decider.evolve(to, event, timeOf(0)), state)
  }

  /** L10: shipping a part and then the rest leads to the same state as shipping all at once, but for the shipments. */
  const splitting = ({ states }: OrderTrace): void => {
    for (const order of orders(states)) {
      if (!allowed(order, policies).includes("ShipItems")) continue
      const line = order.lines.find((line) => outstanding(line) > 1)
      if (line === undefined) continue
      const whole = ship(order, order, "whole", line, outstanding(line))
      const halves = ship(order, ship(order, order, "half-1", line, 1), "half-2", line, outstanding(line) - 1)
      const rest = (state: OrderState) => ({ ...state, shipments: [], version: 0 })
      insist(Equal.equals(rest(whole), rest(halves)), "Shipping in two must be like shipping in one", halves)
    }
  }

  /** L11: `allowed` lists exactly the commands that can store an event in a state. */
  const permission = ({ states, steps }: OrderTrace): void => {
    for (const state of states) {
      const names = allowed(state, policies)
      for (const name of CommandName.literals) {
        const isPossible = probes(name, state).some((command) => stores(state, command))
        insist(
          isPossible === names.includes(name),
          `allowed and decide disagree: ${name} stores ${isPossible ? "an event" : "nothing"}`,
          state
        )
      }
    }
    for (const { before, command, events } of steps) {
      insist(
        events.length === 0 || allowed(before, policies).includes(command._tag),
        "A command that was not allowed stored an event",
        command
      )
    }
  }

  const law = (name: string, holds: (trace: OrderTrace) => void): Law<OrderCommand> => ({
    name,
    check: (commands) => holds(trace(decider, commands))
  })

  return [
    law("L5 no line ships, cancels or returns more than it has", quantities),
    law("L6 no payment captures or refunds more than it has, nor after a void", amounts),
    law("L7 the status only moves up", movement),
    law("L8 totals equal an independent recomputation", totals),
    law("L9 a repeat stores nothing, in every later state; a reused id is refused", repeats),
    law("L10 shipping in two is shipping in one", splitting),
    law("L11 allowed agrees with decide", permission)
  ]
}
