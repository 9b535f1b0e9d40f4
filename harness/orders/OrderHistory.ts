/** One order's life as commands: two mugs (line-1) and a book (line-2), 2,975 + 963 = 3,938 in all. */
import { Result } from "effect"
import type { Command, OrderCommand } from "../../src/order/OrderCommand.ts"
import { OrderDecider } from "../../src/order/OrderDecider.ts"
import type { OrderEvent } from "../../src/order/OrderEvent.ts"
import { LineId, PaymentId, ProductId, ReturnId, ShipmentId } from "../../src/order/OrderId.ts"
import type { Order, OrderState } from "../../src/order/OrderState.ts"
import type { OrderStatus } from "../../src/order/OrderStatus.ts"
import { orderId, placeOrder } from "../../src/testing/OrderCommands.ts"
import { trace } from "../../src/testing/Trace.ts"

export const mugs = LineId.make("line-1")
export const book = LineId.make("line-2")
export const shipment = ShipmentId.make("shipment-1")
export const payment = PaymentId.make("payment-1")

export const place: Command<"PlaceOrder"> = {
  ...placeOrder,
  lines: [
    ...placeOrder.lines,
    {
      lineId: book,
      productId: ProductId.make("book"),
      name: "The Book of Tea",
      quantity: 1,
      unitPrice: 1000,
      unitDiscount: 100,
      taxBps: 700
    }
  ],
  request: "two mugs and a book"
}

export const confirm: OrderCommand = { _tag: "ConfirmOrder", orderId }
export const cancel: OrderCommand = { _tag: "CancelOrder", orderId, reason: "customer_request" }
export const ship: Command<"ShipItems"> = { _tag: "ShipItems", orderId, shipmentId: shipment }
export const shipOne: Command<"ShipItems"> = { ...ship, items: [{ lineId: mugs, quantity: 1 }] }
export const deliver: OrderCommand = { _tag: "DeliverShipment", orderId, shipmentId: shipment }
export const returnAll: Command<"ReturnItems"> = {
  _tag: "ReturnItems",
  orderId,
  returnId: ReturnId.make("return-1"),
  items: [
    { lineId: mugs, quantity: 2 },
    { lineId: book, quantity: 1 }
  ]
}
export const authorize: Command<"AuthorizePayment"> = {
  _tag: "AuthorizePayment",
  orderId,
  paymentId: payment,
  amount: 2000
}
export const capture: Command<"CapturePayment"> = { _tag: "CapturePayment", orderId, paymentId: payment, amount: 500 }
export const refund: Command<"RefundPayment"> = { _tag: "RefundPayment", orderId, paymentId: payment, amount: 100 }

const placed = [place, authorize]
const confirmed = [...placed, confirm, capture]
const shipped = [...confirmed, ship]

/** These are the commands that bring an order to each status, with a payment on the way. */
export const history: Record<OrderStatus | "absent", ReadonlyArray<OrderCommand>> = {
  absent: [],
  placed,
  confirmed,
  partially_shipped: [...confirmed, shipOne],
  shipped,
  delivered: [...shipped, deliver],
  returned: [...shipped, deliver, returnAll],
  cancelled: [...confirmed, cancel]
}

/** Gives the events of commands that this decider accepts, all of them. */
export const eventsOf = (commands: ReadonlyArray<OrderCommand>, decider = OrderDecider): ReadonlyArray<OrderEvent> => {
  const { events, steps } = trace(decider, commands)
  for (const { decision } of steps) Result.getOrThrow(decision)
  return events
}

export const stateAfter = (...commands: ReadonlyArray<OrderCommand>): OrderState => {
  eventsOf(commands)
  return trace(OrderDecider, commands).states.at(-1) ?? OrderDecider.initialState
}

export const orderAfter = (...commands: ReadonlyArray<OrderCommand>): Order => {
  const state = stateAfter(...commands)
  if (state._tag === "Absent") throw new Error("no order was placed")
  return state
}
