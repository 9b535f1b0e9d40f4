/** A rejected command stores nothing; its rejection names the obstacle and says what the caller should do. */
import { Schema } from "effect"
import { CommandName } from "./OrderCommand.ts"
import { Id, LineId, OrderId, PaymentId, ShipmentId } from "./OrderId.ts"
import { maxEvents } from "./OrderState.ts"
import { OrderStatus } from "./OrderStatus.ts"

export class OrderNotFound extends Schema.TaggedError<OrderNotFound>()(
  "OrderNotFound",
  { orderId: OrderId },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `There is no order ${this.orderId}. Check its id, or place it first.`
  }
}

export class LineNotFound extends Schema.TaggedError<LineNotFound>()(
  "LineNotFound",
  { orderId: OrderId, lineId: LineId },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `Order ${this.orderId} has no line ${this.lineId}. Use a lineId of the order.`
  }
}

export class ShipmentNotFound extends Schema.TaggedError<ShipmentNotFound>()(
  "ShipmentNotFound",
  { orderId: OrderId, shipmentId: ShipmentId },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `Order ${this.orderId} has no shipment ${this.shipmentId}. Use a shipmentId of the order.`
  }
}

export class PaymentNotFound extends Schema.TaggedError<PaymentNotFound>()(
  "PaymentNotFound",
  { orderId: OrderId, paymentId: PaymentId },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `Order ${this.orderId} has no payment ${this.paymentId}. Authorize it first, or use a paymentId of the order.`
  }
}

/** The order's status forbids the command; `allowed` lists the commands that could store an event now. */
export class InvalidTransition extends Schema.TaggedError<InvalidTransition>()(
  "InvalidTransition",
  { orderId: OrderId, orderStatus: OrderStatus, command: CommandName, allowed: Schema.Array(CommandName) },
  { httpApiStatus: 409 }
) {
  override get message() {
    const { allowed, command, orderStatus } = this
    const instead = allowed.length === 0 ? "No command is possible any more." : `Possible now: ${allowed.join(", ")}.`
    return `${command} is not possible while the order is ${orderStatus}. ${instead}`
  }
}

/** Something is shipped, so the order can't be cancelled as a whole; `hint` says what can be done instead. */
export class OrderAlreadyShipped extends Schema.TaggedError<OrderAlreadyShipped>()(
  "OrderAlreadyShipped",
  { orderId: OrderId, orderStatus: OrderStatus, hint: Schema.String },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `Order ${this.orderId} can't be cancelled as a whole because it is ${this.orderStatus}. ${this.hint}`
  }
}

/** An order keeps at least one line. */
export class LastLine extends Schema.TaggedError<LastLine>()(
  "LastLine",
  { orderId: OrderId, lineId: LineId },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `Line ${this.lineId} is the only line of order ${this.orderId}. Cancel the order instead.`
  }
}

/** `items` names the lines of which too much was asked for; it is empty if nothing at all is left. */
export class QuantityExceeded extends Schema.TaggedError<QuantityExceeded>()(
  "QuantityExceeded",
  {
    orderId: OrderId,
    items: Schema.Array(Schema.Struct({ lineId: LineId, requested: Schema.Int, available: Schema.Int }))
  },
  { httpApiStatus: 409 }
) {
  override get message() {
    if (this.items.length === 0) {
      return `Order ${this.orderId} has no items left for this command. Read the order: "allowed" says what is possible.`
    }
    const items = this.items.map((item) => `${item.requested} of line ${item.lineId} (${item.available} available)`)
    return `The command asks for ${items.join(", ")}. Ask for at most what is available.`
  }
}

/** `available` is in minor units. `requested` is absent if the command asked for all that is left, and nothing is. */
export class AmountExceeded extends Schema.TaggedError<AmountExceeded>()(
  "AmountExceeded",
  { orderId: OrderId, requested: Schema.optionalKey(Schema.Int), available: Schema.Int },
  { httpApiStatus: 409 }
) {
  override get message() {
    return this.available === 0
      ? `Order ${this.orderId} has no amount left for this command.`
      : `The command asks for ${this.requested}, but only ${this.available} is available. Ask for at most that.`
  }
}

/** The payment is voided, or all of it is captured; what can be done instead depends on the `command`. */
export class PaymentClosed extends Schema.TaggedError<PaymentClosed>()(
  "PaymentClosed",
  {
    orderId: OrderId,
    paymentId: PaymentId,
    command: Schema.Literals(["CapturePayment", "VoidPayment", "RefundPayment"])
  },
  { httpApiStatus: 409 }
) {
  override get message() {
    switch (this.command) {
      case "CapturePayment":
        return `Payment ${this.paymentId} is voided, so nothing can be captured from it. Authorize another payment.`
      case "VoidPayment":
        return `All of payment ${this.paymentId} is captured, so there is nothing to void. Refund it instead.`
      case "RefundPayment":
        return `Payment ${this.paymentId} is voided and holds no money. Refund another payment, if one holds money.`
    }
  }
}

/** The order was placed under a policy `shipRequires` that asks for more money first; `missing` is in minor units. */
export class PaymentRequiredBeforeShipment extends Schema.TaggedError<PaymentRequiredBeforeShipment>()(
  "PaymentRequiredBeforeShipment",
  { orderId: OrderId, required: Schema.Literals(["authorized", "captured"]), missing: Schema.Int },
  { httpApiStatus: 409 }
) {
  override get message() {
    const { missing, required } = this
    const next = required === "authorized" ? "Authorize" : "Authorize and capture"
    return `What the order costs must be ${required} before items are shipped. ${next} the missing ${missing} first.`
  }
}

/** The orderId belongs to an order with other content. */
export class OrderExists extends Schema.TaggedError<OrderExists>()(
  "OrderExists",
  { orderId: OrderId },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `Order ${this.orderId} was placed before with other content. Use another orderId.`
  }
}

/** The id belongs to a part of the order with other content. */
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
    return `The order has a ${this.kind} ${this.id} with other content. Use another id.`
  }
}

export class OrderTooLong extends Schema.TaggedError<OrderTooLong>()(
  "OrderTooLong",
  { orderId: OrderId },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `Order ${this.orderId} can't hold more than ${maxEvents} events. Place another order.`
  }
}

/** The command is well formed, but no state would allow it; `errors` says which fields to correct. */
export class InvalidOrder extends Schema.TaggedError<InvalidOrder>()(
  "InvalidOrder",
  { errors: Schema.Array(Schema.Struct({ path: Schema.String, message: Schema.String })) },
  { httpApiStatus: 422 }
) {
  override get message() {
    return `Correct these fields. ${this.errors.map((error) => `${error.path}: ${error.message}`).join(" ")}`
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
