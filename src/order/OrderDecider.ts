/**
 * Decides what a command does to an order: the events to record, or a rejection. It is pure (the decider pattern of
 * Jérémie Chassaing); the rules are in `rules/`. Each rule checks in the same order: a known id (nothing to do, or
 * reused) → a part named in the path that does not exist → a status that forbids it → a line that does not exist →
 * quantity or amount.
 */
import { Result } from "effect"
import type { Decider } from "../aggregate/Aggregate.ts"
import { cancelItems, cancelOrder } from "./rules/Cancelling.ts"
import { type Decision, reject } from "./rules/Decision.ts"
import { addLine, changeLineQuantity, changeShippingAddress, removeLine } from "./rules/Editing.ts"
import { deliverShipment, returnItems, shipItems } from "./rules/Fulfilment.ts"
import type { OrderCommand } from "./OrderCommand.ts"
import type { OrderEvent } from "./OrderEvent.ts"
import { evolve } from "./OrderEvolution.ts"
import { defaultPolicies, type OrderPolicies } from "./OrderPolicies.ts"
import { maxEvents, type Order, type OrderState } from "./OrderState.ts"
import { OrderNotFound, type OrderRejection, OrderTooLong } from "./OrderRejection.ts"
import { authorizePayment, capturePayment, refundPayment, voidPayment } from "./rules/Paying.ts"
import { confirmOrder, placeAgain, placeOrder } from "./rules/Placing.ts"

export type OrderDecider = Decider<OrderState, OrderCommand, OrderEvent, OrderRejection>

const decideByRule = (command: OrderCommand, order: Order, policies: OrderPolicies): Decision => {
  switch (command._tag) {
    case "PlaceOrder":
      return placeAgain(command, order)
    case "AddLine":
      return addLine(command, order, policies)
    case "ChangeLineQuantity":
      return changeLineQuantity(command, order, policies)
    case "RemoveLine":
      return removeLine(command, order, policies)
    case "ChangeShippingAddress":
      return changeShippingAddress(command, order, policies)
    case "ConfirmOrder":
      return confirmOrder(command, order, policies)
    case "ShipItems":
      return shipItems(command, order, policies)
    case "DeliverShipment":
      return deliverShipment(command, order)
    case "ReturnItems":
      return returnItems(command, order, policies)
    case "CancelItems":
      return cancelItems(command, order, policies)
    case "CancelOrder":
      return cancelOrder(command, order)
    case "AuthorizePayment":
      return authorizePayment(command, order, policies)
    case "CapturePayment":
      return capturePayment(command, order, policies)
    case "VoidPayment":
      return voidPayment(command, order)
    case "RefundPayment":
      return refundPayment(command, order)
  }
}

const decideExisting = (command: OrderCommand, order: Order, policies: OrderPolicies): Decision =>
  Result.flatMap(decideByRule(command, order, policies), (events) =>
    order.version + events.length > maxEvents ? reject(new OrderTooLong({ orderId: order.id })) : Result.succeed(events)
  )

export const make = (policies: OrderPolicies): OrderDecider => ({
  initialState: { _tag: "Absent" },
  decide: (command, state) => {
    if (state._tag === "Order") return decideExisting(command, state, policies)
    return command._tag === "PlaceOrder"
      ? placeOrder(command, policies)
      : reject(new OrderNotFound({ orderId: command.orderId }))
  },
  evolve
})

export const OrderDecider: OrderDecider = make(defaultPolicies)
