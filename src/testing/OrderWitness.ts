/** Commands that would store an event in a state, if any command of that name can: what L11 is probed with. */
import type { Command, CommandName, OrderCommand } from "../order/OrderCommand.ts"
import { LineId, PaymentId, ProductId, ReturnId, ShipmentId } from "../order/OrderId.ts"
import type { Order, OrderState } from "../order/OrderState.ts"
import { orderId, placeOrder } from "./OrderCommands.ts"

const fresh = "never-used-before"

const line = (order: Order): Command<"AddLine"> => ({
  _tag: "AddLine",
  orderId,
  currency: order.currency,
  line: {
    lineId: LineId.make(fresh),
    productId: ProductId.make("postcard"),
    name: "Postcard",
    quantity: 1,
    unitPrice: 0,
    unitDiscount: 0,
    taxBps: 0
  }
})

const probes = (name: CommandName, order: Order): ReadonlyArray<OrderCommand> => {
  const { lines, payments, shipments } = order
  const one = (lineId: LineId) => [{ lineId, quantity: 1 }] as const
  switch (name) {
    case "PlaceOrder":
      return [placeOrder]
    case "AddLine":
      return [line(order)]
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
      const shipmentId = ShipmentId.make(fresh)
      return lines.map(({ lineId }) => ({ _tag: "ShipItems", orderId, shipmentId, items: one(lineId) }))
    }
    case "DeliverShipment":
      return shipments.map(({ shipmentId }) => ({ _tag: "DeliverShipment", orderId, shipmentId }))
    case "ReturnItems": {
      const returnId = ReturnId.make(fresh)
      return lines.map(({ lineId }) => ({ _tag: "ReturnItems", orderId, returnId, items: one(lineId) }))
    }
    case "CancelItems":
      return lines.map(({ lineId }) => ({ _tag: "CancelItems", orderId, items: one(lineId) }))
    case "CancelOrder":
      return [{ _tag: "CancelOrder", orderId, reason: "other" }]
    case "AuthorizePayment":
      return [{ _tag: "AuthorizePayment", orderId, paymentId: PaymentId.make(fresh), amount: 1 }]
    case "CapturePayment":
      return payments.map(({ paymentId }) => ({ _tag: "CapturePayment", orderId, paymentId, amount: 1 }))
    case "VoidPayment":
      return payments.map(({ paymentId }) => ({ _tag: "VoidPayment", orderId, paymentId }))
    case "RefundPayment":
      return payments.map(({ paymentId }) => ({ _tag: "RefundPayment", orderId, paymentId, amount: 1 }))
  }
}

export const witness = (name: CommandName, state: OrderState): ReadonlyArray<OrderCommand> => {
  if (state._tag === "Order") return probes(name, state)
  return name === "PlaceOrder" ? [placeOrder] : []
}
