/**
 * Lists the commands that could store an event in a state, for problems, views and buttons. Law L11 holds it to what
 * the decider does.
 */
import type { CommandName } from "../OrderCommand.ts"
import { maxLines } from "../Line.ts"
import { authorizable, balanceDue, refundable, voidable } from "../OrderTotals.ts"
import { missingForShipment, type OrderPolicies } from "../OrderPolicies.ts"
import { maxEvents, type Order, type OrderState } from "../OrderState.ts"
import { outstanding, status } from "../OrderStatus.ts"
import * as OrderTotals from "../OrderTotals.ts"

/** A smaller quantity always fits; a greater one may make the total too large. */
const canChangeQuantity = (order: Order): boolean =>
  order.lines.some((line) => line.quantity > 1) || OrderTotals.hasRoomForOneMore(order)

const hasOutstanding = (order: Order): boolean => order.lines.some((line) => outstanding(line) > 0)

/** Cancelling the very last item takes two events, so the order must have room for both. */
const canCancelItems = (order: Order): boolean =>
  hasOutstanding(order) &&
  (order.version + 2 <= maxEvents || order.lines.reduce((sum, line) => sum + line.quantity - line.cancelled, 0) > 1)

const payments = (order: Order, ...extra: ReadonlyArray<CommandName>): ReadonlyArray<CommandName> => {
  const commands = [...extra]
  if (order.payments.some((payment) => voidable(payment) > 0)) commands.push("VoidPayment")
  if (order.payments.some((payment) => refundable(payment) > 0)) commands.push("RefundPayment")
  return commands
}

const captures = (order: Order): ReadonlyArray<CommandName> =>
  balanceDue(order) > 0 && order.payments.some((payment) => voidable(payment) > 0) ? ["CapturePayment"] : []

const authorizes = (order: Order): ReadonlyArray<CommandName> => (authorizable(order) > 0 ? ["AuthorizePayment"] : [])

const ships = (order: Order, policies: OrderPolicies): ReadonlyArray<CommandName> =>
  hasOutstanding(order) && missingForShipment(order, policies) === 0 ? ["ShipItems"] : []

const delivers = (order: Order): ReadonlyArray<CommandName> =>
  order.shipments.some((shipment) => shipment.deliveredAt === undefined) ? ["DeliverShipment"] : []

const returns = (order: Order): ReadonlyArray<CommandName> =>
  order.lines.some((line) => line.shipped > line.returned) ? ["ReturnItems"] : []

const cancelsItems = (order: Order): ReadonlyArray<CommandName> => (canCancelItems(order) ? ["CancelItems"] : [])

export const allowed = (state: OrderState, policies: OrderPolicies): ReadonlyArray<CommandName> => {
  if (state._tag === "Absent") return ["PlaceOrder"]
  if (state.version >= maxEvents) return []
  const current = status(state)
  switch (current) {
    case "placed":
      return [
        ...(state.lines.length < maxLines ? (["AddLine"] as const) : []),
        ...(canChangeQuantity(state) ? (["ChangeLineQuantity"] as const) : []),
        ...(state.lines.length > 1 ? (["RemoveLine"] as const) : []),
        "ChangeShippingAddress",
        "ConfirmOrder",
        "CancelOrder",
        ...authorizes(state),
        ...payments(state)
      ]
    case "confirmed":
      return [
        "ChangeShippingAddress",
        ...ships(state, policies),
        ...cancelsItems(state),
        "CancelOrder",
        ...authorizes(state),
        ...payments(state, ...captures(state))
      ]
    case "partially_shipped":
    case "shipped":
    case "delivered":
      return [
        ...(current === "partially_shipped" ? ships(state, policies) : []),
        ...delivers(state),
        ...returns(state),
        ...(current === "partially_shipped" ? cancelsItems(state) : []),
        ...authorizes(state),
        ...payments(state, ...captures(state))
      ]
    case "returned":
      return [...delivers(state), ...authorizes(state), ...payments(state, ...captures(state))]
    case "cancelled":
      return payments(state)
  }
}
