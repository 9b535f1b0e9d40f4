/** The domain says no: each rejection names the obstacle, says what to do, and carries its HTTP status. */
import { Schema } from "effect"
import { CommandName } from "./OrderCommand.ts"
import { Id, LineId, OrderId, PaymentId, ShipmentId } from "./OrderId.ts"
import { OrderStatus } from "./OrderStatus.ts"

export class OrderNotFound extends Schema.TaggedError<OrderNotFound>()(
  "OrderNotFound",
  { orderId: OrderId },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `there is no order ${this.orderId}; check its id or place it first`
  }
}

export class LineNotFound extends Schema.TaggedError<LineNotFound>()(
  "LineNotFound",
  { orderId: OrderId, lineId: LineId },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `order ${this.orderId} has no line ${this.lineId}; use a lineId of the order`
  }
}

export class ShipmentNotFound extends Schema.TaggedError<ShipmentNotFound>()(
  "ShipmentNotFound",
  { orderId: OrderId, shipmentId: ShipmentId },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `order ${this.orderId} has no shipment ${this.shipmentId}; use a shipmentId of the order`
  }
}

export class PaymentNotFound extends Schema.TaggedError<PaymentNotFound>()(
  "PaymentNotFound",
  { orderId: OrderId, paymentId: PaymentId },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `order ${this.orderId} has no payment ${this.paymentId}; authorize it first`
  }
}

/** Could succeed in another state. */
export class InvalidTransition extends Schema.TaggedError<InvalidTransition>()(
  "InvalidTransition",
  { orderId: OrderId, orderStatus: OrderStatus, command: CommandName, allowed: Schema.Array(CommandName) },
  { httpApiStatus: 409 }
) {
  override get message() {
    const instead = this.allowed.length === 0 ? "nothing" : this.allowed.join(", ")
    return `${this.command} is not possible while the order is ${this.orderStatus}; possible now: ${instead}`
  }
}

export class OrderAlreadyShipped extends Schema.TaggedError<OrderAlreadyShipped>()(
  "OrderAlreadyShipped",
  { orderId: OrderId, orderStatus: OrderStatus, hint: Schema.String },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `order ${this.orderId} can't be cancelled, it is ${this.orderStatus}; ${this.hint}`
  }
}

export class LastLine extends Schema.TaggedError<LastLine>()(
  "LastLine",
  { orderId: OrderId, lineId: LineId },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `line ${this.lineId} is the only one of the order; cancel the order instead`
  }
}

/** `items` names the lines that ask for too much; none: nothing at all is left. */
export class QuantityExceeded extends Schema.TaggedError<QuantityExceeded>()(
  "QuantityExceeded",
  {
    orderId: OrderId,
    items: Schema.Array(Schema.Struct({ lineId: LineId, requested: Schema.Int, available: Schema.Int }))
  },
  { httpApiStatus: 409 }
) {
  override get message() {
    if (this.items.length === 0) return `nothing is left for this in order ${this.orderId}`
    const items = this.items.map((item) => `${item.requested} of line ${item.lineId} (${item.available} available)`)
    return `asked for ${items.join(", ")}; ask for at most what is available`
  }
}

/** `requested` is absent if "all that is left" was asked for, and nothing is left. */
export class AmountExceeded extends Schema.TaggedError<AmountExceeded>()(
  "AmountExceeded",
  { orderId: OrderId, requested: Schema.optionalKey(Schema.Int), available: Schema.Int },
  { httpApiStatus: 409 }
) {
  override get message() {
    const { available, requested } = this
    return available === 0 ? "no amount is left for this" : `asked for ${requested}; ask for at most ${available}`
  }
}

export class PaymentClosed extends Schema.TaggedError<PaymentClosed>()(
  "PaymentClosed",
  { orderId: OrderId, paymentId: PaymentId },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `payment ${this.paymentId} is voided or fully captured; authorize another one`
  }
}

export class PaymentRequiredBeforeShipment extends Schema.TaggedError<PaymentRequiredBeforeShipment>()(
  "PaymentRequiredBeforeShipment",
  { orderId: OrderId, required: Schema.Literals(["authorized", "captured"]), missing: Schema.Int },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `the whole total must be ${this.required} before items are shipped; ${this.missing} is missing`
  }
}

export class OrderExists extends Schema.TaggedError<OrderExists>()(
  "OrderExists",
  { orderId: OrderId },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `order ${this.orderId} was placed already, with another content; use another orderId`
  }
}

export class IdReused extends Schema.TaggedError<IdReused>()(
  "IdReused",
  {
    orderId: OrderId,
    kind: Schema.Literals(["line", "shipment", "return", "cancellation", "payment", "capture", "refund"]),
    id: Id
  },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `${this.kind} ${this.id} exists already, with another content; use another id`
  }
}

export const maxEvents = 10_000

export class OrderTooLong extends Schema.TaggedError<OrderTooLong>()(
  "OrderTooLong",
  { orderId: OrderId },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `order ${this.orderId} can't hold more than ${maxEvents} events; place another order`
  }
}

/** Well formed, but no state would allow it. */
export class InvalidOrder extends Schema.TaggedError<InvalidOrder>()(
  "InvalidOrder",
  { errors: Schema.Array(Schema.Struct({ path: Schema.String, message: Schema.String })) },
  { httpApiStatus: 422 }
) {
  override get message() {
    return this.errors.map((error) => `${error.path}: ${error.message}`).join("; ")
  }
}

export const OrderRejection = Schema.Union([
  OrderNotFound,
  LineNotFound,
  ShipmentNotFound,
  PaymentNotFound,
  InvalidTransition,
  OrderAlreadyShipped,
  LastLine,
  QuantityExceeded,
  AmountExceeded,
  PaymentClosed,
  PaymentRequiredBeforeShipment,
  OrderExists,
  IdReused,
  OrderTooLong,
  InvalidOrder
])
export type OrderRejection = typeof OrderRejection.Type

/** Of any command on an order that should be there. */
const any = ["OrderNotFound", "OrderTooLong"] as const

export const rejectionsOf = {
  PlaceOrder: ["OrderExists", "InvalidOrder"],
  AddLine: [...any, "IdReused", "InvalidTransition", "InvalidOrder"],
  ChangeLineQuantity: [...any, "LineNotFound", "InvalidTransition", "InvalidOrder"],
  RemoveLine: [...any, "LineNotFound", "InvalidTransition", "LastLine"],
  ChangeShippingAddress: [...any, "InvalidTransition"],
  ConfirmOrder: [...any, "InvalidTransition"],
  ShipItems: [
    ...any,
    "IdReused",
    "InvalidTransition",
    "LineNotFound",
    "QuantityExceeded",
    "PaymentRequiredBeforeShipment"
  ],
  DeliverShipment: [...any, "ShipmentNotFound"],
  ReturnItems: [...any, "IdReused", "InvalidTransition", "LineNotFound", "QuantityExceeded"],
  CancelItems: [...any, "IdReused", "InvalidTransition", "LineNotFound", "QuantityExceeded"],
  CancelOrder: [...any, "OrderAlreadyShipped"],
  AuthorizePayment: [...any, "IdReused", "InvalidTransition", "AmountExceeded"],
  CapturePayment: [...any, "PaymentNotFound", "IdReused", "InvalidTransition", "PaymentClosed", "AmountExceeded"],
  VoidPayment: [...any, "PaymentNotFound", "PaymentClosed"],
  RefundPayment: [...any, "PaymentNotFound", "IdReused", "PaymentClosed", "AmountExceeded"]
} as const satisfies Readonly<Record<CommandName, ReadonlyArray<OrderRejection["_tag"]>>>

export type RejectionOf<Name extends CommandName> = Extract<
  OrderRejection,
  { readonly _tag: (typeof rejectionsOf)[Name][number] }
>
