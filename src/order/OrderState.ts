/**
 * What the events of one order add up to. Plain JSON: it is stored as a snapshot. Statuses and totals are derived
 * (`OrderStatus`, `OrderTotals`), never stored, so they can't drift.
 */
import { Schema } from "effect"
import { Address, Contact, Note, Text } from "./Text.ts"
import { CancelReason } from "./OrderEvent.ts"
import { Items, Line } from "./Line.ts"
import { Amount, Currency, PositiveAmount, Quantity } from "./Money.ts"
import { CancellationId, CaptureId, CustomerId, OrderId, PaymentId, RefundId, ReturnId, ShipmentId } from "./OrderId.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** ISO 8601 in UTC: the `recordedAt` of the event that says it. */
const Time = Schema.String

/** `quantity` is what is ordered now, `asked` what was asked when the line was added. */
export const OrderLine = Schema.Struct({
  ...Line.fields,
  asked: Quantity,
  cancelled: Count,
  shipped: Count,
  returned: Count
})
export type OrderLine = typeof OrderLine.Type

/** `all`: it held all that was outstanding, so a repeat that names no items is the same request. */
export const Shipment = Schema.Struct({
  shipmentId: ShipmentId,
  items: Items,
  all: Schema.Boolean,
  carrier: Schema.optionalKey(Text),
  tracking: Schema.optionalKey(Text),
  shippedAt: Time,
  deliveredAt: Schema.optionalKey(Time)
})
export type Shipment = typeof Shipment.Type

export const Return = Schema.Struct({
  returnId: ReturnId,
  items: Items,
  reason: Schema.optionalKey(Note),
  returnedAt: Time
})
export type Return = typeof Return.Type

/** A cancellation of items that was given an id; kept to recognise its repeat. */
export const ItemsCancellation = Schema.Struct({
  cancellationId: CancellationId,
  items: Items,
  reason: Schema.optionalKey(Note)
})

/** A capture or refund that was given an id; `all`: it took all that was left. */
export const Capture = Schema.Struct({ captureId: CaptureId, amount: PositiveAmount, all: Schema.Boolean })
export const Refund = Schema.Struct({
  refundId: RefundId,
  amount: PositiveAmount,
  all: Schema.Boolean,
  reason: Schema.optionalKey(Note)
})

export const Payment = Schema.Struct({
  paymentId: PaymentId,
  provider: Schema.optionalKey(Text),
  reference: Schema.optionalKey(Text),
  authorized: PositiveAmount,
  captured: Amount,
  refunded: Amount,
  voided: Schema.Boolean,
  captures: Schema.Array(Capture),
  refunds: Schema.Array(Refund)
})
export type Payment = typeof Payment.Type

export const Cancellation = Schema.Struct({
  reason: CancelReason,
  note: Schema.optionalKey(Note),
  cancelledAt: Time
})

export const OrderState = Schema.TaggedUnion({
  Absent: {},
  Order: {
    id: OrderId,
    /** The number of events: from 1. */
    version: Schema.Int,
    customerId: CustomerId,
    customer: Contact,
    request: Schema.String,
    currency: Currency,
    address: Address,
    shippingCost: Amount,
    placedAt: Time,
    confirmedAt: Schema.optionalKey(Time),
    cancellation: Schema.optionalKey(Cancellation),
    lines: Schema.Array(OrderLine),
    /** A removed line's id stays used. */
    removedLines: Schema.Array(OrderLine),
    shipments: Schema.Array(Shipment),
    returns: Schema.Array(Return),
    cancellations: Schema.Array(ItemsCancellation),
    payments: Schema.Array(Payment)
  }
})
export type OrderState = typeof OrderState.Type
export type Order = Extract<OrderState, { readonly _tag: "Order" }>
