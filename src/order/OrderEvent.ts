/**
 * Facts an order can record. These shapes are the storage format: never edit a case that has shipped. An additive
 * change is an optional key, a breaking one a new schema version with an upcaster.
 *
 * Personal data appears in `OrderPlaced` and `ShippingAddressChanged` only.
 */
import { Schema } from "effect"
import { Address } from "./Address.ts"
import { CancelReason } from "./CancelReason.ts"
import { Items, Line } from "./Line.ts"
import { Amount, Currency, PositiveAmount, Quantity } from "./Money.ts"
import { Contact } from "./OrderCommand.ts"
import {
  CancellationId,
  CaptureId,
  CustomerId,
  LineId,
  OrderId,
  PaymentId,
  RefundId,
  ReturnId,
  ShipmentId
} from "./OrderId.ts"
import { Note, Text } from "./Text.ts"

export const OrderEvent = Schema.TaggedUnion({
  OrderPlaced: {
    orderId: OrderId,
    customerId: CustomerId,
    customer: Contact,
    currency: Currency,
    lines: Schema.NonEmptyArray(Line),
    shippingAddress: Address,
    shippingCost: Amount,
    /** Fingerprint of the caller's own fields. */
    request: Schema.String
  },
  LineAdded: { line: Line },
  LineQuantityChanged: { lineId: LineId, from: Quantity, to: Quantity },
  LineRemoved: { lineId: LineId },
  ShippingAddressChanged: { address: Address },
  OrderConfirmed: { total: Amount },
  PaymentAuthorized: {
    paymentId: PaymentId,
    amount: PositiveAmount,
    provider: Schema.optionalKey(Text),
    reference: Schema.optionalKey(Text)
  },
  PaymentCaptured: { paymentId: PaymentId, amount: PositiveAmount, captureId: Schema.optionalKey(CaptureId) },
  /** `amount` is the uncaptured rest that was released. */
  PaymentVoided: { paymentId: PaymentId, amount: PositiveAmount },
  PaymentRefunded: {
    paymentId: PaymentId,
    amount: PositiveAmount,
    refundId: Schema.optionalKey(RefundId),
    reason: Schema.optionalKey(Note)
  },
  ItemsShipped: {
    shipmentId: ShipmentId,
    items: Items,
    carrier: Schema.optionalKey(Text),
    tracking: Schema.optionalKey(Text)
  },
  ShipmentDelivered: { shipmentId: ShipmentId },
  ItemsReturned: { returnId: ReturnId, items: Items, reason: Schema.optionalKey(Note) },
  ItemsCancelled: {
    items: Items,
    cancellationId: Schema.optionalKey(CancellationId),
    reason: Schema.optionalKey(Note)
  },
  /** What was still open then: authorizations to void, captured money to refund. */
  OrderCancelled: { reason: CancelReason, note: Schema.optionalKey(Note), voidDue: Amount, refundDue: Amount }
})
export type OrderEvent = typeof OrderEvent.Type
