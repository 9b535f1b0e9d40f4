/**
 * Folds an order: applies one event to the state. It accepts every event that the decider emits; it never refuses
 * one for a rule, because what was valid when it was stored is readable for ever.
 */
import type { Item } from "./Line.ts"
import type { OrderEvent } from "./OrderEvent.ts"
import { capturable, refundable } from "./OrderTotals.ts"
import type { Order, OrderLine, OrderState, Payment } from "./OrderState.ts"
import { outstanding } from "./OrderStatus.ts"

const newLine = (line: Omit<OrderLine, "asked" | "cancelled" | "shipped" | "returned">): OrderLine => ({
  ...line,
  asked: line.quantity,
  cancelled: 0,
  shipped: 0,
  returned: 0
})

/** Adds items to one counter of their lines. */
const count = (
  lines: ReadonlyArray<OrderLine>,
  items: ReadonlyArray<Item>,
  counter: "cancelled" | "shipped" | "returned"
): ReadonlyArray<OrderLine> =>
  lines.map((line) => {
    const item = items.find((item) => item.lineId === line.lineId)
    return item === undefined ? line : { ...line, [counter]: line[counter] + item.quantity }
  })

const place = (event: Extract<OrderEvent, { _tag: "OrderPlaced" }>, placedAt: string): Order => {
  const { orderId, lines, shippingAddress, ...placed } = event
  return {
    ...placed,
    _tag: "Order",
    id: orderId,
    version: 1,
    address: shippingAddress,
    placedAt,
    lines: lines.map(newLine),
    removedLines: [],
    shipments: [],
    returns: [],
    cancellations: [],
    payments: []
  }
}

const ship = (order: Order, event: Extract<OrderEvent, { _tag: "ItemsShipped" }>, shippedAt: string): Order => {
  const { _tag, ...shipped } = event
  const lines = count(order.lines, event.items, "shipped")
  const all = lines.every((line) => outstanding(line) === 0)
  return { ...order, lines, shipments: [...order.shipments, { ...shipped, all, shippedAt }] }
}

const pay = (order: Order, paymentId: string, change: (payment: Payment) => Payment): Order => ({
  ...order,
  payments: order.payments.map((payment) => (payment.paymentId === paymentId ? change(payment) : payment))
})

const capture = (order: Order, payment: Payment, event: Extract<OrderEvent, { _tag: "PaymentCaptured" }>): Payment => {
  const { amount, captureId } = event
  const all = amount === capturable(order, payment)
  return {
    ...payment,
    captured: payment.captured + amount,
    captures: captureId === undefined ? payment.captures : [...payment.captures, { captureId, amount, all }]
  }
}

const refund = (payment: Payment, event: Extract<OrderEvent, { _tag: "PaymentRefunded" }>): Payment => {
  const { _tag, paymentId: _, refundId, ...refunded } = event
  const all = event.amount === refundable(payment)
  return {
    ...payment,
    refunded: payment.refunded + event.amount,
    ...(event.goodwill === true ? { goodwill: (payment.goodwill ?? 0) + event.amount } : {}),
    refunds: refundId === undefined ? payment.refunds : [...payment.refunds, { ...refunded, refundId, all }]
  }
}

const apply = (order: Order, event: OrderEvent, recordedAt: string): Order => {
  switch (event._tag) {
    case "OrderPlaced":
      throw new Error(`Order ${order.id} is placed a second time; its stream is corrupt.`)
    case "LineAdded":
      return { ...order, lines: [...order.lines, newLine(event.line)] }
    case "LineQuantityChanged": {
      const { lineId, to: quantity } = event
      return { ...order, lines: order.lines.map((line) => (line.lineId === lineId ? { ...line, quantity } : line)) }
    }
    case "LineRemoved": {
      const isRemoved = (line: OrderLine) => line.lineId === event.lineId
      return {
        ...order,
        lines: order.lines.filter((line) => !isRemoved(line)),
        removedLines: [...order.removedLines, ...order.lines.filter(isRemoved)]
      }
    }
    case "ShippingAddressChanged":
      return { ...order, address: event.address }
    case "OrderConfirmed":
      return { ...order, confirmedAt: recordedAt }
    case "PaymentAuthorized": {
      const { _tag, amount: authorized, ...payment } = event
      const untouched = { captured: 0, refunded: 0, voided: false, captures: [], refunds: [] }
      return { ...order, payments: [...order.payments, { ...payment, authorized, ...untouched }] }
    }
    case "PaymentCaptured":
      return pay(order, event.paymentId, (payment) => capture(order, payment, event))
    case "PaymentVoided":
      return pay(order, event.paymentId, (payment) => ({ ...payment, voided: true }))
    case "PaymentRefunded":
      return pay(order, event.paymentId, (payment) => refund(payment, event))
    case "ItemsShipped":
      return ship(order, event, recordedAt)
    case "ShipmentDelivered":
      return {
        ...order,
        shipments: order.shipments.map((shipment) =>
          shipment.shipmentId === event.shipmentId ? { ...shipment, deliveredAt: recordedAt } : shipment
        )
      }
    case "ItemsReturned": {
      const { _tag, ...returned } = event
      return {
        ...order,
        lines: count(order.lines, event.items, "returned"),
        returns: [...order.returns, { ...returned, returnedAt: recordedAt }]
      }
    }
    case "ItemsCancelled": {
      const { _tag, cancellationId, ...cancelled } = event
      const lines = count(order.lines, event.items, "cancelled")
      return cancellationId === undefined
        ? { ...order, lines }
        : { ...order, lines, cancellations: [...order.cancellations, { ...cancelled, cancellationId }] }
    }
    case "OrderCancelled": {
      const { note, reason } = event
      const cancellation = { reason, ...(note === undefined ? {} : { note }), cancelledAt: recordedAt }
      return { ...order, cancellation }
    }
  }
}

/**
 * Applies the next event. It throws, as on a defect, if the stream is corrupt: `OrderPlaced` is its first event only.
 */
export const evolve = (state: OrderState, event: OrderEvent, recordedAt: string): OrderState => {
  if (state._tag === "Order") return { ...apply(state, event, recordedAt), version: state.version + 1 }
  if (event._tag === "OrderPlaced") return place(event, recordedAt)
  throw new Error(`${event._tag} comes before OrderPlaced; the stream is corrupt.`)
}
