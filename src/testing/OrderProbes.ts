/**
 * Makes commands that the laws of an order try in the states they find: probes of what a state allows (L11), and
 * repeats of commands that carry an id, with the same and with other content (L9).
 */
import type { Command, CommandName, OrderCommand } from "../order/OrderCommand.ts"
import { LineId, PaymentId, ProductId, ReturnId, ShipmentId } from "../order/OrderId.ts"
import type { Order, OrderState } from "../order/OrderState.ts"
import { orderId, placeOrder } from "./OrderCommands.ts"

const unusedId = "never-used-before"

/** Adds a line that is free, so that its price can't make the total too large. */
const freeLine = (order: Order): Command<"AddLine"> => ({
  _tag: "AddLine",
  orderId,
  currency: order.currency,
  line: {
    lineId: LineId.make(unusedId),
    productId: ProductId.make("postcard"),
    name: "Postcard",
    quantity: 1,
    unitPrice: 0,
    unitDiscount: 0,
    taxBps: 0
  }
})

const probesOf = (name: CommandName, order: Order): ReadonlyArray<OrderCommand> => {
  const { lines, payments, shipments } = order
  const one = (lineId: LineId) => [{ lineId, quantity: 1 }] as const
  switch (name) {
    case "PlaceOrder":
      return [placeOrder]
    case "AddLine":
      return [freeLine(order)]
    case "ChangeLineQuantity":
      return lines.flatMap(({ lineId }) =>
        [1, 2].map((quantity) => ({ _tag: "ChangeLineQuantity", orderId, lineId, quantity }) as const)
      )
    case "RemoveLine":
      return lines.map(({ lineId }) => ({ _tag: "RemoveLine", orderId, lineId }))
    case "ChangeShippingAddress":
      return [{ _tag: "ChangeShippingAddress", orderId, address: { ...order.address, city: "Nowhere" } }]
    case "ConfirmOrder":
      return [{ _tag: "ConfirmOrder", orderId }]
    case "ShipItems": {
      const shipmentId = ShipmentId.make(unusedId)
      return lines.map(({ lineId }) => ({ _tag: "ShipItems", orderId, shipmentId, items: one(lineId) }))
    }
    case "DeliverShipment":
      return shipments.map(({ shipmentId }) => ({ _tag: "DeliverShipment", orderId, shipmentId }))
    case "ReturnItems": {
      const returnId = ReturnId.make(unusedId)
      return lines.map(({ lineId }) => ({ _tag: "ReturnItems", orderId, returnId, items: one(lineId) }))
    }
    case "CancelItems":
      return lines.map(({ lineId }) => ({ _tag: "CancelItems", orderId, items: one(lineId) }))
    case "CancelOrder":
      return [{ _tag: "CancelOrder", orderId, reason: "other" }]
    case "AuthorizePayment":
      return [{ _tag: "AuthorizePayment", orderId, paymentId: PaymentId.make(unusedId), amount: 1 }]
    case "CapturePayment":
      return payments.map(({ paymentId }) => ({ _tag: "CapturePayment", orderId, paymentId, amount: 1 }))
    case "VoidPayment":
      return payments.map(({ paymentId }) => ({ _tag: "VoidPayment", orderId, paymentId }))
    case "RefundPayment":
      return payments.map(({ paymentId }) => ({ _tag: "RefundPayment", orderId, paymentId, amount: 1 }))
  }
}

/**
 * Gives commands of this name to try in a state: one of them stores an event there, if any command of the name can. Law
 * L11 compares them with what `allowed` lists.
 */
export const probes = (name: CommandName, state: OrderState): ReadonlyArray<OrderCommand> => {
  if (state._tag === "Order") return probesOf(name, state)
  return name === "PlaceOrder" ? [placeOrder] : []
}

/**
 * Returns true for a command that carries an id of its own. By law L9, its repeat stores nothing in every later state.
 */
export const hasOwnId = (command: OrderCommand): boolean => {
  switch (command._tag) {
    case "PlaceOrder":
    case "AddLine":
    case "RemoveLine":
    case "ShipItems":
    case "DeliverShipment":
    case "ReturnItems":
    case "AuthorizePayment":
    case "VoidPayment":
      return true
    case "CancelItems":
      return command.cancellationId !== undefined
    case "CapturePayment":
      return command.captureId !== undefined
    case "RefundPayment":
      return command.refundId !== undefined
    case "ChangeLineQuantity":
    case "ChangeShippingAddress":
    case "ConfirmOrder":
    case "CancelOrder":
      return false
  }
}

/**
 * Makes a command with the same id and other content, which law L9 wants refused; undefined for a command that has no
 * content beside its id.
 */
export const withOtherContent = (command: OrderCommand): OrderCommand | undefined => {
  switch (command._tag) {
    case "PlaceOrder":
      return { ...command, request: `${command.request}, but not quite` }
    case "AddLine":
      return { ...command, line: { ...command.line, quantity: command.line.quantity + 1 } }
    case "ShipItems":
      return { ...command, tracking: "another" }
    case "ReturnItems":
    case "CancelItems":
      return { ...command, reason: "another" }
    case "AuthorizePayment":
      return { ...command, amount: command.amount + 1 }
    case "CapturePayment":
      return { ...command, amount: 1_000_000 }
    case "RefundPayment":
      return { ...command, goodwill: command.goodwill !== true }
    case "ChangeLineQuantity":
    case "RemoveLine":
    case "ChangeShippingAddress":
    case "ConfirmOrder":
    case "DeliverShipment":
    case "CancelOrder":
    case "VoidPayment":
      return undefined
  }
}
