/** Defines the ids of an order, of its parts, and of what it refers to. */
import { Schema } from "effect"

const uuidV7 = /^ord_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u

export const OrderId = Schema.String.check(
  Schema.isPattern(uuidV7, { expected: '"ord_" and a UUIDv7 in lower case' })
).pipe(Schema.brand("OrderId"))
export type OrderId = typeof OrderId.Type

/** An id has 1 to 64 characters out of `A-Z a-z 0-9 _ -`; the caller chooses it or the service makes it. */
export const Id = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9_-]{1,64}$/u, { expected: "1 to 64 of A-Z a-z 0-9 _ -" })
)

export const LineId = Id.pipe(Schema.brand("LineId"))
export type LineId = typeof LineId.Type

export const ShipmentId = Id.pipe(Schema.brand("ShipmentId"))
export type ShipmentId = typeof ShipmentId.Type

export const ReturnId = Id.pipe(Schema.brand("ReturnId"))
export type ReturnId = typeof ReturnId.Type

export const CancellationId = Id.pipe(Schema.brand("CancellationId"))
export type CancellationId = typeof CancellationId.Type

export const PaymentId = Id.pipe(Schema.brand("PaymentId"))
export type PaymentId = typeof PaymentId.Type

/** A capture's id is unique within its payment. */
export const CaptureId = Id.pipe(Schema.brand("CaptureId"))
export type CaptureId = typeof CaptureId.Type

/** A refund's id is unique within its payment. */
export const RefundId = Id.pipe(Schema.brand("RefundId"))
export type RefundId = typeof RefundId.Type

export const ProductId = Id.pipe(Schema.brand("ProductId"))
export type ProductId = typeof ProductId.Type

export const CustomerId = Id.pipe(Schema.brand("CustomerId"))
export type CustomerId = typeof CustomerId.Type
