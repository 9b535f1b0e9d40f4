/**
 * Callers send these requests, over HTTP and in process: they name no prices, and ids are optional. An unknown member
 * is refused, since a misspelt `items` would otherwise ship everything; `null` does not mean "absent".
 */
import { Schema } from "effect"
import { Address, Note, Text } from "./Text.ts"
import { CallerCancelReason } from "./OrderCommand.ts"
import { Items, maxLines, SomeItems } from "./Line.ts"
import { Amount, Currency, PositiveAmount, Quantity } from "./Money.ts"
import {
  CancellationId,
  CaptureId,
  CustomerId,
  LineId,
  OrderId,
  PaymentId,
  ProductId,
  RefundId,
  ReturnId,
  ShipmentId
} from "./OrderId.ts"

/** Requests are decoded with these options. */
export const parseOptions = { onExcessProperty: "error", errors: "all" } as const

const optional = Schema.optionalKey

const priced = "the catalog says it, as PUT /products/{id} has saved it; leave it out"
const hints = {
  unitPrice: priced,
  price: priced,
  name: priced,
  productName: priced,
  taxBps: priced,
  tax: priced,
  sku: "did you mean productId?",
  discount: "did you mean unitDiscount?"
}

export const AddLineRequest = Schema.Struct({
  productId: ProductId,
  quantity: Quantity,
  lineId: optional(LineId),
  unitDiscount: optional(Amount)
}).annotate({ identifier: "AddLineRequest", hints })
export type AddLineRequest = typeof AddLineRequest.Type

export const PlaceOrderRequest = Schema.Struct({
  orderId: optional(OrderId),
  customerId: CustomerId,
  currency: Currency,
  lines: Schema.NonEmptyArray(AddLineRequest).check(Schema.isMaxLength(maxLines)),
  shippingAddress: Address,
  shippingCost: optional(Amount),
  confirm: optional(Schema.Boolean)
}).annotate({ identifier: "PlaceOrderRequest" })
export type PlaceOrderRequest = typeof PlaceOrderRequest.Type

export const ChangeLineQuantityRequest = Schema.Struct({ quantity: Quantity }).annotate({
  identifier: "ChangeLineQuantityRequest"
})
export type ChangeLineQuantityRequest = typeof ChangeLineQuantityRequest.Type

/** The body is the bare address. */
export const ChangeShippingAddressRequest = Address
export type ChangeShippingAddressRequest = typeof ChangeShippingAddressRequest.Type

export const CancelOrderRequest = Schema.Struct({ reason: CallerCancelReason, note: optional(Note) }).annotate({
  identifier: "CancelOrderRequest"
})
export type CancelOrderRequest = typeof CancelOrderRequest.Type

export const CancelItemsRequest = Schema.Struct({
  items: Items,
  reason: optional(Note),
  cancellationId: optional(CancellationId)
}).annotate({ identifier: "CancelItemsRequest" })
export type CancelItemsRequest = typeof CancelItemsRequest.Type

/** Without `items`, all that is outstanding is shipped. */
export const ShipItemsRequest = Schema.Struct({
  shipmentId: optional(ShipmentId),
  items: optional(SomeItems),
  carrier: optional(Text),
  tracking: optional(Text)
}).annotate({ identifier: "ShipItemsRequest" })
export type ShipItemsRequest = typeof ShipItemsRequest.Type

export const ReturnItemsRequest = Schema.Struct({
  items: Items,
  returnId: optional(ReturnId),
  reason: optional(Note)
}).annotate({ identifier: "ReturnItemsRequest" })
export type ReturnItemsRequest = typeof ReturnItemsRequest.Type

export const AuthorizePaymentRequest = Schema.Struct({
  amount: PositiveAmount,
  paymentId: optional(PaymentId),
  provider: optional(Text),
  reference: optional(Text)
}).annotate({ identifier: "AuthorizePaymentRequest" })
export type AuthorizePaymentRequest = typeof AuthorizePaymentRequest.Type

/** Without `amount`, all that can be captured is captured. */
export const CapturePaymentRequest = Schema.Struct({
  amount: optional(PositiveAmount),
  captureId: optional(CaptureId)
}).annotate({ identifier: "CapturePaymentRequest" })
export type CapturePaymentRequest = typeof CapturePaymentRequest.Type

/**
 * Without `amount`, all that was captured and not yet refunded is refunded. A refund with `goodwill: true` is a gift: it
 * does not stop what is still to be shipped, where a shop ships only what is paid.
 */
export const RefundPaymentRequest = Schema.Struct({
  amount: optional(PositiveAmount),
  refundId: optional(RefundId),
  reason: optional(Note),
  goodwill: optional(Schema.Boolean)
}).annotate({ identifier: "RefundPaymentRequest" })
export type RefundPaymentRequest = typeof RefundPaymentRequest.Type

/**
 * Makes the content whose fingerprint `OrderPlaced.request` keeps: the caller's own fields with defaults filled in, so
 * that leaving a default out and writing it down are the same request. Ids made by the service are not part of it.
 */
export const placeOrderContent = (request: PlaceOrderRequest, policies: { readonly autoConfirm: boolean }) => {
  const { orderId: _, ...content } = request
  return {
    ...content,
    lines: content.lines.map((line) => ({ ...line, unitDiscount: line.unitDiscount ?? 0 })),
    confirm: content.confirm ?? policies.autoConfirm
  }
}
