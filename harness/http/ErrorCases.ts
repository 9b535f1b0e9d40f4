/** Lists every error that the order service can answer, as the contract has it on the wire. */
import { UnknownCustomer, UnknownProduct } from "../../src/catalog/Catalog.ts"
import { ConcurrencyConflict, OutcomeUnknown, Overloaded } from "../../src/eventstore/EventStoreErrors.ts"
import * as StreamId from "../../src/eventstore/StreamId.ts"
import { DatabaseUnavailable } from "../../src/database/DatabaseErrors.ts"
import {
  AggregateSuspended,
  CommandIdReused,
  CommandInProgress,
  Draining,
  InvalidIdempotencyKey,
  VersionMismatch
} from "../../src/aggregate/CommandErrors.ts"
import { CustomerId, LineId, OrderId, PaymentId, ProductId, ShipmentId } from "../../src/order/OrderId.ts"
import * as Rejection from "../../src/order/OrderRejection.ts"
import { InvalidToken, ProjectionBehind } from "../../src/projection/consistency/ConsistencyToken.ts"
import { InvalidCursor } from "../../src/projection/view/ViewQuery.ts"

export const orderId = OrderId.make("ord_01890000-0000-7000-8000-000000000000")
const lineId = LineId.make("line")
const paymentId = PaymentId.make("pay")
export const productId = ProductId.make("mug")
export const customerId = CustomerId.make("ada")

/** A case is an error, its slug and status in the contract, and the members that its document must have. */
export type Case = readonly [error: Error, slug: string, status: number, members: Record<string, unknown>]

const errors = [{ path: "currency", message: "is another" }]
const items = [{ lineId, requested: 3, available: 1 }]

export const commandCases: ReadonlyArray<Case> = [
  [new Rejection.OrderNotFound({ orderId }), "order-not-found", 404, { orderId }],
  [new Rejection.LineNotFound({ orderId, lineId }), "line-not-found", 404, { orderId, lineId }],
  [
    new Rejection.ShipmentNotFound({ orderId, shipmentId: ShipmentId.make("s") }),
    "shipment-not-found",
    404,
    { shipmentId: "s" }
  ],
  [new Rejection.PaymentNotFound({ orderId, paymentId }), "payment-not-found", 404, { paymentId }],
  [
    new Rejection.InvalidTransition({
      orderId,
      orderStatus: "placed",
      command: "ShipItems",
      allowed: ["ConfirmOrder"]
    }),
    "invalid-transition",
    409,
    { orderStatus: "placed", command: "ShipItems", allowed: ["ConfirmOrder"] }
  ],
  [
    new Rejection.OrderAlreadyShipped({ orderId, orderStatus: "shipped", hint: "h" }),
    "already-shipped",
    409,
    { hint: "h" }
  ],
  [new Rejection.LastLine({ orderId, lineId }), "last-line", 409, { lineId }],
  [new Rejection.QuantityExceeded({ orderId, items }), "quantity-exceeded", 409, { items }],
  [
    new Rejection.AmountExceeded({ orderId, requested: 3, available: 1 }),
    "amount-exceeded",
    409,
    { requested: 3, available: 1 }
  ],
  [
    new Rejection.AmountExceeded({ orderId, available: 0 }),
    "amount-exceeded",
    409,
    { available: 0, requested: undefined }
  ],
  [
    new Rejection.PaymentClosed({ orderId, paymentId, command: "VoidPayment" }),
    "payment-closed",
    409,
    { paymentId, command: "VoidPayment" }
  ],
  [
    new Rejection.PaymentRequiredBeforeShipment({ orderId, required: "captured", missing: 7 }),
    "payment-required-before-shipment",
    409,
    { required: "captured", missing: 7 }
  ],
  [new Rejection.OrderExists({ orderId }), "order-exists", 409, { orderId }],
  [new Rejection.IdReused({ orderId, kind: "line", id: "x" }), "id-reused", 409, { kind: "line", id: "x" }],
  [new Rejection.OrderTooLong({ orderId }), "order-too-long", 409, { orderId }],
  [new Rejection.InvalidOrder({ errors }), "invalid-order", 422, { errors }],
  [UnknownProduct.of([productId]), "unknown-product", 422, { productIds: [productId] }],
  [UnknownCustomer.of(customerId), "unknown-customer", 422, { customerId }],
  [
    new ConcurrencyConflict({ streamId: StreamId.make("order", orderId), currentVersion: 9 }),
    "concurrency-conflict",
    409,
    { currentVersion: 9 }
  ],
  [new InvalidIdempotencyKey(), "invalid-idempotency-key", 400, {}],
  [new CommandIdReused(), "idempotency-key-reused", 422, {}],
  [new CommandInProgress({ retryAfter: 2 }), "idempotency-in-progress", 409, { retryAfter: 2 }],
  [
    new VersionMismatch({ expected: 1, currentVersion: 2 }),
    "version-mismatch",
    412,
    { expected: 1, currentVersion: 2 }
  ],
  [new Overloaded({ what: "it", retryAfter: 2 }), "overloaded", 503, { retryAfter: 2 }],
  [new Draining({ retryAfter: 1 }), "draining", 503, { retryAfter: 1 }],
  [new OutcomeUnknown({ retryAfter: 1 }), "outcome-unknown", 503, { retryAfter: 1 }],
  [
    new DatabaseUnavailable({ retryAfter: 0.2, cause: new Error("password=secret") }),
    "database-unavailable",
    503,
    { retryAfter: 0.2, cause: undefined }
  ],
  [new AggregateSuspended({ retryAfter: 30 }), "aggregate-suspended", 503, { retryAfter: 30 }]
]

const behind = new ProjectionBehind({ required: 9n, current: 7n, parked: true, retryAfter: 1 })
export const queryCases: ReadonlyArray<Case> = [
  [behind, "projection-behind", 503, { required: 9, current: 7, parked: true, retryAfter: 1 }],
  [new InvalidToken({ token: "x" }), "invalid-token", 400, { token: "x" }],
  [new InvalidCursor({}), "invalid-cursor", 400, {}]
]
