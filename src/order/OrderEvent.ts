/**
 * An order records these facts. Their shapes are the storage format: never edit a case that has shipped. An additive
 * change is an optional key, a breaking one a new schema version with an upcaster.
 *
 * Personal data appears in `OrderPlaced` and `ShippingAddressChanged` only.
 */
import { Schema } from "effect"
import { Address, Contact, Note, Text } from "./Text.ts"
import * as Upcaster from "../aggregate/Upcaster.ts"
import { Items, Line } from "./Line.ts"
import { CallerCancelReason } from "./OrderCommand.ts"
import { Amount, Currency, PositiveAmount, Quantity } from "./Money.ts"
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

/** An order is cancelled for one of these reasons; `all_items_cancelled` comes only from CancelItems. */
export const CancelReason = Schema.Literals([...CallerCancelReason.literals, "all_items_cancelled"])
export type CancelReason = typeof CancelReason.Type

/** So much must have happened to what the customer owes before items may be shipped. */
export const ShipRequires = Schema.Literals(["confirmed", "authorized", "captured"])
export type ShipRequires = typeof ShipRequires.Type

export const OrderEvent = Schema.TaggedUnion({
  OrderPlaced: {
    orderId: OrderId,
    customerId: CustomerId,
    customer: Contact,
    currency: Currency,
    lines: Schema.NonEmptyArray(Line),
    shippingAddress: Address,
    shippingCost: Amount,
    /** Holds the fingerprint of the caller's own fields. */
    request: Schema.String,
    /** Holds the shop's policy at that time; absent in events from before orders kept it. */
    shipRequires: Schema.optionalKey(ShipRequires)
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
    reason: Schema.optionalKey(Note),
    /** If true, the money was given without goods coming back, and is not asked for again before a shipment. */
    goodwill: Schema.optionalKey(Schema.Boolean)
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
  /**
   * `voidDue` is what was still authorized then and is to be voided, `refundDue` what was captured and is to be
   * refunded.
   */
  OrderCancelled: { reason: CancelReason, note: Schema.optionalKey(Note), voidDue: Amount, refundDue: Amount }
})
export type OrderEvent = typeof OrderEvent.Type

/** Version 1 had this shape, where a return was of one line. Logs hold such events for ever: never edit it. */
export const ItemsReturnedV1 = Schema.Struct({
  returnId: ReturnId,
  lineId: LineId,
  quantity: Quantity,
  reason: Schema.optionalKey(Note)
})

/** Turns events that were stored in an older shape into the current one. */
export const orderUpcasters = {
  ItemsReturned: Upcaster.since(ItemsReturnedV1).now(({ lineId, quantity, ...rest }) => ({
    ...rest,
    items: [{ lineId, quantity }] as typeof Items.Encoded
  }))
}
