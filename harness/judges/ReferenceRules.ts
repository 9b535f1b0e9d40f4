/** The contract's rules for a command in a state: the events it leads to, or the slug of the problem. */
import { isDeepStrictEqual } from "node:util"
import { untaxedMug } from "../fixtures/Shop.ts"
import type { Operation } from "../clients/Operation.ts"
import * as Reference from "./Reference.ts"
import type { Event, Item, Line, State } from "./Reference.ts"

export type Verdict = { readonly events: ReadonlyArray<Event> } | { readonly slug: string }

const no = (slug: string): Verdict => ({ slug })
const nothing: Verdict = { events: [] }
const then = (...events: ReadonlyArray<readonly [type: string, data: Event["data"]]>): Verdict => ({
  events: events.map(([type, data]) => ({ type: `order.${type}.v1`, data }))
})
const repeat = (isSame: boolean): Verdict => (isSame ? nothing : no("id-reused"))

const obstacle = (state: State, items: ReadonlyArray<Item>, left: (line: Line) => number): Verdict | undefined => {
  const lines = new Map(state.lines.map((line) => [line.lineId, line]))
  if (items.some((item) => !lines.has(item.lineId))) return no("line-not-found")
  if (items.some((item) => item.quantity > left(lines.get(item.lineId)!))) return no("quantity-exceeded")
  return undefined
}

/** `placed` is the placement that this order came from. */
export const judge = (operation: Operation, state: State | undefined, placed: Operation | undefined): Verdict => {
  if (operation.kind === "place") {
    if (state !== undefined) return JSON.stringify(operation) === JSON.stringify(placed) ? nothing : no("order-exists")
    const lines = operation.lines.map((line) => ({ ...line, unitPrice: untaxedMug.unitPrice, unitDiscount: 0 }))
    const total = Reference.sum(lines.map((line) => line.quantity * line.unitPrice))
    const event = ["placed", { lines: lines.map((line) => line.lineId).join() }] as const
    return operation.confirm ? then(event, ["confirmed", { total }]) : then(event)
  }
  if (state === undefined) return no("order-not-found")
  const status = Reference.status(state)
  const isEditable = status === "placed"
  switch (operation.kind) {
    case "addLine": {
      const { lineId, quantity } = operation
      const known = [...state.lines, ...state.removed].find((line) => line.lineId === lineId)
      if (known !== undefined) return repeat(known.asked === quantity && known.productId === "mug")
      return isEditable ? then(["line-added", { line: lineId }]) : no("invalid-transition")
    }
    case "changeQuantity": {
      const line = state.lines.find((line) => line.lineId === operation.lineId)
      if (line === undefined) return no("line-not-found")
      if (!isEditable) return no("invalid-transition")
      const { lineId, quantity } = operation
      return line.quantity === quantity
        ? nothing
        : then(["line-quantity-changed", { lineId, from: line.quantity, to: quantity }])
    }
    case "removeLine": {
      const { lineId } = operation
      if (state.removed.some((line) => line.lineId === lineId)) return nothing
      if (!state.lines.some((line) => line.lineId === lineId)) return no("line-not-found")
      if (!isEditable) return no("invalid-transition")
      return state.lines.length === 1 ? no("last-line") : then(["line-removed", { lineId }])
    }
    case "confirm":
      if (status === "cancelled") return no("invalid-transition")
      return isEditable ? then(["confirmed", { total: Reference.total(state) }]) : nothing
    case "ship": {
      const { shipmentId } = operation
      const known = state.shipments[shipmentId]
      if (known !== undefined) {
        return repeat(operation.items === undefined ? known.all : Reference.sameItems(operation.items, known.items))
      }
      if (isEditable || status === "cancelled") return no("invalid-transition")
      const items = operation.items ?? Reference.allOutstanding(state)
      if (items.length === 0) return no("quantity-exceeded")
      return obstacle(state, items, Reference.outstanding) ?? then(["items-shipped", { shipmentId, items }])
    }
    case "deliver": {
      const shipment = state.shipments[operation.shipmentId]
      if (shipment === undefined) return no("shipment-not-found")
      return shipment.delivered ? nothing : then(["shipment-delivered", { shipmentId: operation.shipmentId }])
    }
    case "return": {
      const { items, returnId } = operation
      const known = state.returns[returnId]
      if (known !== undefined) return repeat(Reference.sameItems(items, known))
      if (["placed", "confirmed", "cancelled"].includes(status)) return no("invalid-transition")
      return (
        obstacle(state, items, (line) => line.shipped - line.returned) ?? then(["items-returned", { returnId, items }])
      )
    }
    case "cancelItems": {
      const { cancellationId, items } = operation
      const known = state.cancellations[cancellationId]
      if (known !== undefined) return repeat(Reference.sameItems(items, known))
      if (isEditable || status === "cancelled") return no("invalid-transition")
      const found = obstacle(state, items, Reference.outstanding)
      if (found !== undefined) return found
      const left = Reference.sum(state.lines.map((line) => line.quantity - line.cancelled))
      const event = ["items-cancelled", { cancellationId, items }] as const
      const isAll = left === Reference.sum(items.map((item) => item.quantity))
      return isAll ? then(event, ["cancelled", { reason: "all_items_cancelled" }]) : then(event)
    }
    case "cancel":
      if (status === "cancelled") return nothing
      return status === "placed" || status === "confirmed"
        ? then(["cancelled", { reason: "customer_request" }])
        : no("already-shipped")
    case "authorize": {
      const { amount, paymentId } = operation
      const known = state.payments[paymentId]
      if (known !== undefined) return repeat(known.amount === amount)
      const captured = Reference.sum(Object.values(state.payments).map(Reference.captured))
      const isSettled = status === "returned" && Reference.owed(state) <= captured
      if (isSettled || status === "cancelled") return no("invalid-transition")
      const taken = Reference.sum(Object.values(state.payments).map((payment) => payment.amount))
      return taken + amount > Reference.owed(state)
        ? no("amount-exceeded")
        : then(["payment-authorized", { paymentId, amount }])
    }
    case "capture": {
      const { amount, captureId, paymentId } = operation
      const payment = state.payments[paymentId]
      if (payment === undefined) return no("payment-not-found")
      const known = payment.captures[captureId]
      if (known !== undefined) return repeat(known === amount)
      if (isEditable || status === "cancelled") return no("invalid-transition")
      const captured = Reference.sum(Object.values(state.payments).map(Reference.captured))
      return amount > payment.amount - Reference.captured(payment) || captured + amount > Reference.owed(state)
        ? no("amount-exceeded")
        : then(["payment-captured", { paymentId, captureId, amount }])
    }
  }
}

/** True if an event of the log is the one that the rules ask for. */
export const isSame = (expected: Event, found: Event): boolean => {
  const data = (event: Event): Event["data"] => {
    if (Reference.kindOf(event) === "placed" && Array.isArray(event.data.lines)) {
      return { lines: event.data.lines.map((line: Line) => line.lineId).join() }
    }
    const { line } = event.data
    return typeof line === "object" && line !== null && "lineId" in line ? { line: line.lineId } : event.data
  }
  const [wanted, had] = [data(expected), data(found)]
  return (
    Reference.kindOf(expected) === Reference.kindOf(found) &&
    Object.entries(wanted).every(([name, value]) => isDeepStrictEqual(had[name], value))
  )
}
