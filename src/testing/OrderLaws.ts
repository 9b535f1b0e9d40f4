/**
 * Orders keep the laws L5 to L11 and those of their money, besides those that hold for every aggregate. Each is checked on
 * every state that commands lead to. A broken law throws, and shows the state or command that breaks it.
 */
import { Equal, Result } from "effect"
import { OrderStreams } from "../order/OrderAggregate.ts"
import { CommandName, type OrderCommand } from "../order/OrderCommand.ts"
import * as OrderDecider from "../order/OrderDecider.ts"
import { ShipmentId } from "../order/OrderId.ts"
import type { OrderPolicies } from "../order/OrderPolicies.ts"
import type { Order, OrderLine, OrderState } from "../order/OrderState.ts"
import { outstanding } from "../order/OrderStatus.ts"
import { allowed } from "../order/rules/OrderAllowed.ts"
import { timeOf } from "./Given.ts"
import { insist, type Law } from "./laws/Law.ts"
import { hasOwnId, probes, withOtherContent } from "./OrderProbes.ts"
import * as Money from "./OrderMoneyLaws.ts"
import { amounts, movement, orders, type OrderTrace, quantities } from "./OrderStateLaws.ts"
import type { OrderEvent } from "../order/OrderEvent.ts"
import type { OrderRejection } from "../order/OrderRejection.ts"

export type OrderLaw = Law<OrderState, OrderCommand, OrderEvent, OrderRejection>

/** Gives orders under a shop's policies to `given` and `AggregateLaws`. */
export const ordersUnder = (policies: OrderPolicies): Pick<typeof OrderStreams, "category" | "definition"> => {
  const { initialState: initial, ...rules } = OrderDecider.make(policies)
  return { category: OrderStreams.category, definition: { ...OrderStreams.definition, ...rules, initial } }
}

/**
 * Returns the laws L5 to L11 of an order under these policies, and the laws of its money:
 *
 *     AggregateLaws.suite(ordersUnder(policies), { laws: orderLaws(policies), unreached: ["OrderTooLong"] })
 */
export const orderLaws = (policies: OrderPolicies): ReadonlyArray<OrderLaw> => {
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

  const law = (name: string, check: (trace: OrderTrace) => void): OrderLaw => ({ name, check })

  return [
    law("L5 no line ships, cancels or returns more than it has", quantities),
    law("L6 no payment captures or refunds more than it has, nor after a void", amounts),
    law("L7 the status only moves up", movement),
    law("L8 totals equal an independent recomputation", Money.totals),
    law("L9 a repeat stores nothing, in every later state; a reused id is refused", repeats),
    law("L10 shipping in two is shipping in one", splitting),
    law("L11 allowed agrees with decide", permission),
    law("no payment goes beyond what is owed, and only money makes an order paid", Money.payments),
    law("goods that came back cost nothing, and what was paid for them is owed back", Money.returns),
    law("a shipment waits for exactly the money that is missing", (trace) => Money.shipments(decider, trace))
  ]
}
