/** Decides AddLine, ChangeLineQuantity, RemoveLine and ChangeShippingAddress. */
import { canonicalJson } from "../../aggregate/CanonicalJson.ts"
import { type Decision, nothing, notNow, record, reject, repeat } from "./Decision.ts"
import { type Line, maxLines } from "../Line.ts"
import type { Command } from "../OrderCommand.ts"
import type { OrderPolicies } from "../OrderPolicies.ts"
import * as Rejection from "../OrderRejection.ts"
import type { Order } from "../OrderState.ts"
import { status } from "../OrderStatus.ts"
import * as OrderTotals from "../OrderTotals.ts"

const invalid = (path: string, message: string): Decision =>
  reject(new Rejection.InvalidOrder({ errors: [{ path, message }] }))

const tooLarge = (): Decision => invalid("quantity", "The total would be too large to be an exact number.")

export const addLine = (command: Command<"AddLine">, order: Order, policies: OrderPolicies): Decision => {
  const { line } = command
  const isSameId = (other: Line) => other.lineId === line.lineId
  const known = order.lines.find(isSameId) ?? order.removedLines.find(isSameId)
  if (known !== undefined) {
    // Only what the caller asked for is compared: the catalog's prices may have changed since.
    const isSame =
      known.productId === line.productId && known.asked === line.quantity && known.unitDiscount === line.unitDiscount
    return repeat(order, "line", line.lineId, isSame)
  }
  if (status(order) !== "placed") return notNow(order, command._tag, policies)
  if (command.currency !== order.currency) {
    return invalid("productId", `Product ${line.productId} is sold in ${command.currency}, not in ${order.currency}.`)
  }
  if (order.lines.length >= maxLines) return invalid("lines", `An order has at most ${maxLines} lines.`)
  if (line.unitDiscount > line.unitPrice) return invalid("unitDiscount", `The unit price is only ${line.unitPrice}.`)
  return OrderTotals.isRepresentable({ ...order, lines: [...order.lines, line] })
    ? record({ _tag: "LineAdded", line })
    : tooLarge()
}

export const changeLineQuantity = (
  command: Command<"ChangeLineQuantity">,
  order: Order,
  policies: OrderPolicies
): Decision => {
  const { lineId, quantity } = command
  const line = order.lines.find((line) => line.lineId === lineId)
  if (line === undefined) return reject(new Rejection.LineNotFound({ orderId: order.id, lineId }))
  if (status(order) !== "placed") return notNow(order, command._tag, policies)
  if (line.quantity === quantity) return nothing
  const lines = order.lines.map((other) => (other === line ? { ...line, quantity } : other))
  return OrderTotals.isRepresentable({ ...order, lines })
    ? record({ _tag: "LineQuantityChanged", lineId, from: line.quantity, to: quantity })
    : tooLarge()
}

export const removeLine = (command: Command<"RemoveLine">, order: Order, policies: OrderPolicies): Decision => {
  const { lineId } = command
  if (order.removedLines.some((line) => line.lineId === lineId)) return nothing
  if (order.lines.every((line) => line.lineId !== lineId)) {
    return reject(new Rejection.LineNotFound({ orderId: order.id, lineId }))
  }
  if (status(order) !== "placed") return notNow(order, command._tag, policies)
  if (order.lines.length === 1) return reject(new Rejection.LastLine({ orderId: order.id, lineId }))
  return record({ _tag: "LineRemoved", lineId })
}

export const changeShippingAddress = (
  command: Command<"ChangeShippingAddress">,
  order: Order,
  policies: OrderPolicies
): Decision => {
  const current = status(order)
  if (current !== "placed" && current !== "confirmed") return notNow(order, command._tag, policies)
  return canonicalJson(command.address) === canonicalJson(order.address)
    ? nothing
    : record({ _tag: "ShippingAddressChanged", address: command.address })
}
