/** Decides CancelItems and CancelOrder. */
import type { CancelReason, OrderEvent } from "../OrderEvent.ts"
import { type Decision, isSameItems, nothing, notNow, record, reject, repeat } from "./Decision.ts"
import { obstacle } from "./Fulfilment.ts"
import type { Command } from "../OrderCommand.ts"
import type { OrderPolicies } from "../OrderPolicies.ts"
import * as Rejection from "../OrderRejection.ts"
import type { Order } from "../OrderState.ts"
import { outstanding, status } from "../OrderStatus.ts"
import * as OrderTotals from "../OrderTotals.ts"

const cancelled = (order: Order, reason: CancelReason, note?: string): OrderEvent => ({
  _tag: "OrderCancelled",
  reason,
  ...(note === undefined ? {} : { note }),
  voidDue: OrderTotals.open(order),
  refundDue: OrderTotals.paid(order)
})

export const cancelItems = (command: Command<"CancelItems">, order: Order, policies: OrderPolicies): Decision => {
  const { _tag, orderId: _, ...request } = command
  const known = order.cancellations.find((other) => other.cancellationId === request.cancellationId)
  if (known !== undefined) {
    const isSame = isSameItems(request.items, known.items) && request.reason === known.reason
    return repeat(order, "cancellation", known.cancellationId, isSame)
  }
  const current = status(order)
  if (current === "placed" || current === "cancelled") return notNow(order, _tag, policies)
  const found = obstacle(order, request.items, outstanding)
  if (found !== undefined) return reject(found)
  const left = order.lines.reduce((sum, line) => sum + line.quantity - line.cancelled, 0)
  const asked = request.items.reduce((sum, item) => sum + item.quantity, 0)
  return left === asked
    ? record({ _tag: "ItemsCancelled", ...request }, cancelled(order, "all_items_cancelled"))
    : record({ _tag: "ItemsCancelled", ...request })
}

export const cancelOrder = (command: Command<"CancelOrder">, order: Order): Decision => {
  const current = status(order)
  switch (current) {
    case "placed":
    case "confirmed":
      return record(cancelled(order, command.reason, command.note))
    case "cancelled":
      return nothing
    case "partially_shipped":
    case "shipped":
    case "delivered":
    case "returned": {
      const hint =
        current === "partially_shipped"
          ? "Cancel the items that are not shipped yet with CancelItems, and take the others back with ReturnItems."
          : "Take items back with ReturnItems, then refund the payment."
      return reject(new Rejection.OrderAlreadyShipped({ orderId: order.id, orderStatus: current, hint }))
    }
  }
}
