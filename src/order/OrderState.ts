/**
 * The events of one order add up to this state. It is plain JSON, since it is stored in snapshots and in the order
 * view. Statuses and totals are derived from it (`OrderStatus`, `OrderTotals`) and never stored, so they can't drift. Its
 * checks say what holds in every state, for the laws of `ordinal/testing`; stored states are read without them.
 */
import { Schema } from "effect"
import { Address, Contact, Note, Text } from "./Text.ts"
import { CancelReason, ShipRequires } from "./OrderEvent.ts"
import { Items, Line } from "./Line.ts"
import { Amount, Currency, PositiveAmount, Quantity } from "./Money.ts"
import { CancellationId, CaptureId, CustomerId, OrderId, PaymentId, RefundId, ReturnId, ShipmentId } from "./OrderId.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** A time is the `recordedAt` of an event, in ISO 8601 and UTC. */
const Time = Schema.String

/** `quantity` is the number of items ordered now, `asked` the one when the line was added. */
export const OrderLine = Schema.Struct({
  ...Line.fields,
  asked: Quantity,
  cancelled: Count,
  shipped: Count,
  returned: Count
}).check(
  Schema.makeFilter(({ cancelled, quantity, shipped }) => cancelled + shipped <= quantity, {
    expected: "no more items cancelled and shipped than ordered"
  }),
  Schema.makeFilter(({ returned, shipped }) => returned <= shipped, {
    expected: "no more items returned than shipped"
  }),
  Schema.makeFilter(({ unitDiscount, unitPrice }) => unitDiscount <= unitPrice, {
    expected: "no discount beyond the price"
  })
)
export type OrderLine = typeof OrderLine.Type

/** `all` is true if it held all that was outstanding: a repeat that names no items is the same request then. */
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

/** A cancellation of items that has an id is kept so that its repeat is recognised. */
export const ItemsCancellation = Schema.Struct({
  cancellationId: CancellationId,
  items: Items,
  reason: Schema.optionalKey(Note)
})

/** A capture that has an id is kept so that its repeat is recognised; `all` is true if it took all that was left. */
export const Capture = Schema.Struct({ captureId: CaptureId, amount: PositiveAmount, all: Schema.Boolean })
/** A refund that has an id is kept likewise. */
export const Refund = Schema.Struct({
  refundId: RefundId,
  amount: PositiveAmount,
  all: Schema.Boolean,
  reason: Schema.optionalKey(Note),
  goodwill: Schema.optionalKey(Schema.Boolean)
})

export const Payment = Schema.Struct({
  paymentId: PaymentId,
  provider: Schema.optionalKey(Text),
  reference: Schema.optionalKey(Text),
  authorized: PositiveAmount,
  captured: Amount,
  refunded: Amount,
  /** So much of `refunded` was goodwill; absent if nothing was. */
  goodwill: Schema.optionalKey(Amount),
  voided: Schema.Boolean,
  captures: Schema.Array(Capture),
  refunds: Schema.Array(Refund)
}).check(
  Schema.makeFilter(({ authorized, captured, refunded }) => refunded <= captured && captured <= authorized, {
    expected: "no more captured than authorized, and no more refunded than captured"
  })
)
export type Payment = typeof Payment.Type

export const Cancellation = Schema.Struct({
  reason: CancelReason,
  note: Schema.optionalKey(Note),
  cancelledAt: Time
})
export type Cancellation = typeof Cancellation.Type

export const OrderState = Schema.TaggedUnion({
  Absent: {},
  Order: {
    id: OrderId,
    /** Counts the order's events. */
    version: Schema.Int,
    customerId: CustomerId,
    customer: Contact,
    request: Schema.String,
    shipRequires: Schema.optionalKey(ShipRequires),
    currency: Currency,
    address: Address,
    shippingCost: Amount,
    placedAt: Time,
    confirmedAt: Schema.optionalKey(Time),
    cancellation: Schema.optionalKey(Cancellation),
    lines: Schema.Array(OrderLine),
    /** Removed lines are kept because their ids stay used. */
    removedLines: Schema.Array(OrderLine),
    shipments: Schema.Array(Shipment),
    returns: Schema.Array(Return),
    cancellations: Schema.Array(ItemsCancellation),
    payments: Schema.Array(Payment)
  }
})
export type OrderState = typeof OrderState.Type
export type Order = Extract<OrderState, { readonly _tag: "Order" }>

/** An order holds at most so many events. */
export const maxEvents = 10_000
