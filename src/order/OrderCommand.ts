/**
 * Commands enter an order's mailbox fully resolved, with ids and prices. Callers send the requests of OrderRequest,
 * which name no prices.
 */
import { Schema } from "effect"
import { Address, Contact, Note, Text } from "./Text.ts"
import { Items, Line, maxLines } from "./Line.ts"
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

/** A caller may give these reasons for cancelling a whole order. */
export const CallerCancelReason = Schema.Literals([
  "customer_request",
  "out_of_stock",
  "pricing_error",
  "fraud_suspected",
  "duplicate",
  "other"
])
export type CallerCancelReason = typeof CallerCancelReason.Type

const orderId = OrderId

export const OrderCommand = Schema.TaggedUnion({
  PlaceOrder: {
    orderId,
    customerId: CustomerId,
    customer: Contact,
    currency: Currency,
    lines: Schema.NonEmptyArray(Line).check(Schema.isMaxLength(maxLines)),
    shippingAddress: Address,
    shippingCost: Amount,
    /** Decides whether the order is confirmed at once; without it the policy `autoConfirm` does. */
    confirm: Schema.optionalKey(Schema.Boolean),
    /** Holds the fingerprint of the caller's own fields: the same request again is accepted without an event. */
    request: Schema.String
  },
  /** `currency` is the product's, and must be the order's. */
  AddLine: { orderId, line: Line, currency: Currency },
  ChangeLineQuantity: { orderId, lineId: LineId, quantity: Quantity },
  RemoveLine: { orderId, lineId: LineId },
  ChangeShippingAddress: { orderId, address: Address },
  ConfirmOrder: { orderId },
  ShipItems: {
    orderId,
    shipmentId: ShipmentId,
    /** Without it, all that is outstanding is shipped. */
    items: Schema.optionalKey(Items),
    carrier: Schema.optionalKey(Text),
    tracking: Schema.optionalKey(Text)
  },
  DeliverShipment: { orderId, shipmentId: ShipmentId },
  ReturnItems: { orderId, returnId: ReturnId, items: Items, reason: Schema.optionalKey(Note) },
  CancelItems: {
    orderId,
    cancellationId: Schema.optionalKey(CancellationId),
    items: Items,
    reason: Schema.optionalKey(Note)
  },
  CancelOrder: { orderId, reason: CallerCancelReason, note: Schema.optionalKey(Note) },
  AuthorizePayment: {
    orderId,
    paymentId: PaymentId,
    amount: PositiveAmount,
    provider: Schema.optionalKey(Text),
    reference: Schema.optionalKey(Text)
  },
  CapturePayment: {
    orderId,
    paymentId: PaymentId,
    captureId: Schema.optionalKey(CaptureId),
    /** Without it, all that can be captured is captured. */
    amount: Schema.optionalKey(PositiveAmount)
  },
  VoidPayment: { orderId, paymentId: PaymentId },
  RefundPayment: {
    orderId,
    paymentId: PaymentId,
    refundId: Schema.optionalKey(RefundId),
    /** Without it, all that was captured and not yet refunded is refunded. */
    amount: Schema.optionalKey(PositiveAmount),
    reason: Schema.optionalKey(Note),
    /** If true, the refund is a gift: the rest of the order can still be shipped. */
    goodwill: Schema.optionalKey(Schema.Boolean)
  }
})
export type OrderCommand = typeof OrderCommand.Type

/** Picks the type of one command by its name. */
export type Command<Name extends CommandName> = Extract<OrderCommand, { readonly _tag: Name }>

/** Names all commands, in the order in which `allowed` lists them. */
export const CommandName = Schema.Literals([
  "PlaceOrder",
  "AddLine",
  "ChangeLineQuantity",
  "RemoveLine",
  "ChangeShippingAddress",
  "ConfirmOrder",
  "ShipItems",
  "DeliverShipment",
  "ReturnItems",
  "CancelItems",
  "CancelOrder",
  "AuthorizePayment",
  "CapturePayment",
  "VoidPayment",
  "RefundPayment"
])
export type CommandName = typeof CommandName.Type
