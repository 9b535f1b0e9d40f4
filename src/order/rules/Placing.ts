/** Decides PlaceOrder and ConfirmOrder. */
import { type Decision, nothing, notNow, record, reject } from "./Decision.ts"
import { type Line, maxLines } from "../Line.ts"
import type { Command } from "../OrderCommand.ts"
import type { OrderEvent } from "../OrderEvent.ts"
import type { OrderPolicies } from "../OrderPolicies.ts"
import * as Rejection from "../OrderRejection.ts"
import type { Order } from "../OrderState.ts"
import { status } from "../OrderStatus.ts"
import * as OrderTotals from "../OrderTotals.ts"

type Errors = Rejection.InvalidOrder["errors"]

const lineErrors = (line: Line, index: number, lines: ReadonlyArray<Line>): Errors => {
  const path = `lines[${index}]`
  const isRepeated = lines.findIndex((other) => other.lineId === line.lineId) < index
  return [
    ...(isRepeated ? [{ path: `${path}.lineId`, message: `Line ${line.lineId} is there twice.` }] : []),
    ...(line.unitDiscount > line.unitPrice
      ? [{ path: `${path}.unitDiscount`, message: `The unit price is only ${line.unitPrice}.` }]
      : [])
  ]
}

const errors = (command: Command<"PlaceOrder">): Errors => {
  const { lines } = command
  if (lines.length > maxLines) return [{ path: "lines", message: `An order has at most ${maxLines} lines.` }]
  const found = lines.flatMap(lineErrors)
  if (found.length > 0) return found
  return OrderTotals.isRepresentable(command)
    ? []
    : [{ path: "lines", message: "The total is too large to be an exact number." }]
}

export const placeOrder = (command: Command<"PlaceOrder">, policies: OrderPolicies): Decision => {
  const found = errors(command)
  if (found.length > 0) return reject(new Rejection.InvalidOrder({ errors: found }))
  const { _tag, confirm, ...content } = command
  const placed: OrderEvent = { _tag: "OrderPlaced", ...content, shipRequires: policies.shipRequires }
  const total = OrderTotals.total(command)
  return (confirm ?? policies.autoConfirm) ? record(placed, { _tag: "OrderConfirmed", total }) : record(placed)
}

/** Decides PlaceOrder for an order that exists. */
export const placeAgain = (command: Command<"PlaceOrder">, order: Order): Decision =>
  command.request === order.request ? nothing : reject(new Rejection.OrderExists({ orderId: order.id }))

export const confirmOrder = (command: Command<"ConfirmOrder">, order: Order, policies: OrderPolicies): Decision => {
  switch (status(order)) {
    case "placed":
      return record({ _tag: "OrderConfirmed", total: OrderTotals.total(order) })
    case "cancelled":
      return notNow(order, command._tag, policies)
    case "confirmed":
    case "partially_shipped":
    case "shipped":
    case "delivered":
    case "returned":
      return nothing
  }
}
