/** Decides ShipItems, DeliverShipment and ReturnItems. */
import { Array } from "effect"
import { type Decision, isSameItems, nothing, notNow, record, reject, repeat } from "./Decision.ts"
import type { Item } from "../Line.ts"
import type { Command } from "../OrderCommand.ts"
import { missingForShipment, type OrderPolicies, shipRequiresOf } from "../OrderPolicies.ts"
import * as Rejection from "../OrderRejection.ts"
import type { Order, OrderLine } from "../OrderState.ts"
import { outstanding, status } from "../OrderStatus.ts"

/**
 * Finds what stands in the way of these items: first a line that does not exist, then quantities beyond `available`.
 */
export const obstacle = (
  order: Order,
  items: ReadonlyArray<Item>,
  available: (line: OrderLine) => number
): Rejection.LineNotFound | Rejection.QuantityExceeded | undefined => {
  const exceeded: Array<{ lineId: Item["lineId"]; requested: number; available: number }> = []
  for (const { lineId, quantity } of items) {
    const line = order.lines.find((line) => line.lineId === lineId)
    if (line === undefined) return new Rejection.LineNotFound({ orderId: order.id, lineId })
    if (quantity > available(line)) exceeded.push({ lineId, requested: quantity, available: available(line) })
  }
  return exceeded.length > 0 ? new Rejection.QuantityExceeded({ orderId: order.id, items: exceeded }) : undefined
}

const allOutstanding = (order: Order): ReadonlyArray<Item> =>
  order.lines.flatMap((line) => (outstanding(line) > 0 ? [{ lineId: line.lineId, quantity: outstanding(line) }] : []))

export const shipItems = (command: Command<"ShipItems">, order: Order, policies: OrderPolicies): Decision => {
  const { _tag, orderId: _, ...request } = command
  const known = order.shipments.find((shipment) => shipment.shipmentId === request.shipmentId)
  if (known !== undefined) {
    const isSame =
      (request.items === undefined ? known.all : isSameItems(request.items, known.items)) &&
      request.carrier === known.carrier &&
      request.tracking === known.tracking
    return repeat(order, "shipment", known.shipmentId, isSame)
  }
  const current = status(order)
  if (current === "placed" || current === "cancelled") return notNow(order, _tag, policies)
  const items = request.items ?? allOutstanding(order)
  if (!Array.isReadonlyArrayNonEmpty(items)) {
    return reject(new Rejection.QuantityExceeded({ orderId: order.id, items: [] }))
  }
  const found = obstacle(order, items, outstanding)
  if (found !== undefined) return reject(found)
  const missing = missingForShipment(order, policies)
  const required = shipRequiresOf(order, policies)
  if (missing > 0 && required !== "confirmed") {
    return reject(new Rejection.PaymentRequiredBeforeShipment({ orderId: order.id, required, missing }))
  }
  return record({ _tag: "ItemsShipped", ...request, items })
}

export const deliverShipment = (command: Command<"DeliverShipment">, order: Order): Decision => {
  const { shipmentId } = command
  const shipment = order.shipments.find((shipment) => shipment.shipmentId === shipmentId)
  if (shipment === undefined) return reject(new Rejection.ShipmentNotFound({ orderId: order.id, shipmentId }))
  return shipment.deliveredAt === undefined ? record({ _tag: "ShipmentDelivered", shipmentId }) : nothing
}

export const returnItems = (command: Command<"ReturnItems">, order: Order, policies: OrderPolicies): Decision => {
  const { _tag, orderId: _, ...request } = command
  const known = order.returns.find((other) => other.returnId === request.returnId)
  if (known !== undefined) {
    const isSame = isSameItems(request.items, known.items) && request.reason === known.reason
    return repeat(order, "return", known.returnId, isSame)
  }
  switch (status(order)) {
    case "placed":
    case "confirmed":
    case "cancelled":
      return notNow(order, _tag, policies)
    case "partially_shipped":
    case "shipped":
    case "delivered":
    case "returned": {
      const found = obstacle(order, request.items, (line) => line.shipped - line.returned)
      return found === undefined ? record({ _tag: "ItemsReturned", ...request }) : reject(found)
    }
  }
}
