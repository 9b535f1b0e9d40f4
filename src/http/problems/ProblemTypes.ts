/** The table of problem types: slug ↔ error class. Slugs are part of the contract: they never change. */
import { Schema } from "effect"
import { UnknownCustomer, UnknownProduct } from "../../catalog/Catalog.ts"
import { CustomerNotFound } from "../../catalog/Customer.ts"
import { ProductNotFound } from "../../catalog/Product.ts"
import { ConcurrencyConflict, OutcomeUnknown, Overloaded } from "../../eventstore/EventStoreErrors.ts"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import {
  AggregateSuspended,
  CommandIdReused,
  CommandInProgress,
  Draining,
  InvalidIdempotencyKey,
  VersionMismatch
} from "../../aggregate/CommandErrors.ts"
import type { CommandName } from "../../order/OrderCommand.ts"
import * as Rejection from "../../order/OrderRejection.ts"
import { type RejectionOf, rejectionsOf } from "../../order/OrderRejection.ts"
import { InvalidToken } from "../../projection/consistency/ConsistencyToken.ts"
import { ProjectionBehind } from "../../projection/consistency/ProjectionBehind.ts"
import * as ProjectionErrors from "../../projection/ProjectionErrors.ts"
import { VersionNotFound } from "../../orders/OrdersError.ts"
import { InvalidCursor } from "../../views/InvalidCursor.ts"
import * as HttpError from "./HttpError.ts"
import { Position } from "../wire/Position.ts"
import { type Problem, problem } from "./Problem.ts"

export const invalidRequest = problem(HttpError.InvalidRequest, "invalid-request", "Invalid request")
export const invalidCursor = problem(InvalidCursor, "invalid-cursor", "Invalid cursor")
export const invalidToken = problem(InvalidToken, "invalid-token", "Invalid consistency token")

export const invalidIdempotencyKey = problem(
  InvalidIdempotencyKey,
  "invalid-idempotency-key",
  "Invalid idempotency key"
)

export const orderNotFound = problem(Rejection.OrderNotFound, "order-not-found", "Order not found")
export const lineNotFound = problem(Rejection.LineNotFound, "line-not-found", "Line not found")
export const shipmentNotFound = problem(Rejection.ShipmentNotFound, "shipment-not-found", "Shipment not found")
export const paymentNotFound = problem(Rejection.PaymentNotFound, "payment-not-found", "Payment not found")
export const productNotFound = problem(ProductNotFound, "product-not-found", "Product not found")
export const customerNotFound = problem(CustomerNotFound, "customer-not-found", "Customer not found")
export const notFound = problem(HttpError.RouteNotFound, "not-found", "Not found")
/** Of one order, so it also says of which. */
export const versionNotFound = problem(VersionNotFound, "not-found", "Not found", { version: Schema.Int })

export const projectionNotFound = problem(
  ProjectionErrors.UnknownProjection,
  "projection-not-found",
  "Projection not found"
)
export const rebuildNotFound = problem(ProjectionErrors.UnknownRebuild, "rebuild-not-found", "Rebuild not found")
export const parkedStreamNotFound = problem(
  ProjectionErrors.UnknownParkedStream,
  "parked-stream-not-found",
  "Parked stream not found"
)

export const streamNotFound = problem(ProjectionErrors.UnknownStream, "stream-not-found", "Stream not found")

export const forbidden = problem(HttpError.ForeignOrigin, "forbidden", "Forbidden")
/** Of any request, so it also says what is foreign about it. */
export const foreignRequest = problem(HttpError.ForeignRequest, "forbidden", "Forbidden")
export const methodNotAllowed = problem(HttpError.MethodNotAllowed, "method-not-allowed", "Method not allowed")
export const requestTimeout = problem(HttpError.RequestTimeout, "request-timeout", "Request timeout")

export const invalidTransition = problem(Rejection.InvalidTransition, "invalid-transition", "Not in this status")
export const alreadyShipped = problem(Rejection.OrderAlreadyShipped, "already-shipped", "Already shipped")
export const lastLine = problem(Rejection.LastLine, "last-line", "Last line of the order")
export const quantityExceeded = problem(Rejection.QuantityExceeded, "quantity-exceeded", "Quantity exceeded")
export const amountExceeded = problem(Rejection.AmountExceeded, "amount-exceeded", "Amount exceeded")
export const paymentClosed = problem(Rejection.PaymentClosed, "payment-closed", "Payment closed")
export const paymentRequired = problem(
  Rejection.PaymentRequiredBeforeShipment,
  "payment-required-before-shipment",
  "Payment required before shipment"
)
export const orderExists = problem(Rejection.OrderExists, "order-exists", "Order exists")
export const idReused = problem(Rejection.IdReused, "id-reused", "Id reused")
export const orderTooLong = problem(Rejection.OrderTooLong, "order-too-long", "Order too long")
export const concurrencyConflict = problem(ConcurrencyConflict, "concurrency-conflict", "Concurrency conflict")
export const idempotencyInProgress = problem(
  CommandInProgress,
  "idempotency-in-progress",
  "Request with this key in progress"
)
export const versionMismatch = problem(VersionMismatch, "version-mismatch", "Version mismatch")

export const rebuildRefused = problem(ProjectionErrors.RebuildRefused, "rebuild-refused", "Rebuild refused")
export const repairRefused = problem(ProjectionErrors.RepairRefused, "repair-refused", "Repair refused")
export const auditRefused = problem(ProjectionErrors.AuditRefused, "audit-refused", "Audit refused")
export const parkedElsewhere = problem(ProjectionErrors.ParkedElsewhere, "parked-elsewhere", "Parked at another event")
export const retryRefused = problem(ProjectionErrors.RetryRefused, "retry-refused", "Retry refused")
export const stillFailing = problem(ProjectionErrors.StillFailing, "still-failing", "Still failing")

export const contentTooLarge = problem(HttpError.ContentTooLarge, "content-too-large", "Content too large")
export const unsupportedMediaType = problem(
  HttpError.UnsupportedMediaType,
  "unsupported-media-type",
  "Unsupported media type"
)

export const invalidOrder = problem(Rejection.InvalidOrder, "invalid-order", "Invalid order")
export const unknownProduct = problem(UnknownProduct, "unknown-product", "Unknown product")
export const unknownCustomer = problem(UnknownCustomer, "unknown-customer", "Unknown customer")

export const idempotencyKeyReused = problem(CommandIdReused, "idempotency-key-reused", "Idempotency key reused")

export const internal = problem(HttpError.InternalError, "internal", "Internal error")

export const projectionBehind = problem(ProjectionBehind, "projection-behind", "View not there yet", {
  required: Position,
  current: Position
})
export const overloaded = problem(Overloaded, "overloaded", "Overloaded")
export const draining = problem(Draining, "draining", "Shutting down")
export const outcomeUnknown = problem(OutcomeUnknown, "outcome-unknown", "Outcome unknown")
export const databaseUnavailable = problem(DatabaseUnavailable, "database-unavailable", "Database unavailable")
export const aggregateSuspended = problem(AggregateSuspended, "aggregate-suspended", "Suspended for a while")

/** What every command of every aggregate may answer. */
export const sendErrors = [
  invalidIdempotencyKey,
  concurrencyConflict,
  versionMismatch,
  idempotencyInProgress,
  idempotencyKeyReused,
  overloaded,
  draining,
  outcomeUnknown,
  databaseUnavailable,
  aggregateSuspended
]

const rejections: {
  readonly [Tag in Rejection.OrderRejection["_tag"]]: Problem<Extract<Rejection.OrderRejection, { readonly _tag: Tag }>>
} = {
  OrderNotFound: orderNotFound,
  LineNotFound: lineNotFound,
  ShipmentNotFound: shipmentNotFound,
  PaymentNotFound: paymentNotFound,
  InvalidTransition: invalidTransition,
  OrderAlreadyShipped: alreadyShipped,
  LastLine: lastLine,
  QuantityExceeded: quantityExceeded,
  AmountExceeded: amountExceeded,
  PaymentClosed: paymentClosed,
  PaymentRequiredBeforeShipment: paymentRequired,
  OrderExists: orderExists,
  IdReused: idReused,
  OrderTooLong: orderTooLong,
  InvalidOrder: invalidOrder
}

/** What this command on an order may answer, besides what every command may. */
const rejectionsOfCommand = <Name extends CommandName>(name: Name) =>
  // `rejectionsOf` is what `RejectionOf` is made from, and of each class there is the one problem.
  rejectionsOf[name].map((tag) => rejections[tag]) as unknown as ReadonlyArray<Problem<RejectionOf<Name>>>

export const commandErrors = <Name extends CommandName>(name: Name) => [...sendErrors, ...rejectionsOfCommand(name)]

/** What every query may answer. */
export const readErrors = [databaseUnavailable, overloaded, draining]

/** What a query of the order view may answer. */
export const queryErrors = [...readErrors, invalidToken, projectionBehind]

/** One of each slug, for `GET /problems/{slug}`. */
export const all = [
  ...sendErrors,
  ...Object.values(rejections),
  unknownProduct,
  unknownCustomer,
  invalidToken,
  projectionBehind,
  invalidRequest,
  invalidCursor,
  productNotFound,
  customerNotFound,
  projectionNotFound,
  rebuildNotFound,
  parkedStreamNotFound,
  streamNotFound,
  rebuildRefused,
  repairRefused,
  auditRefused,
  parkedElsewhere,
  retryRefused,
  stillFailing,
  notFound,
  forbidden,
  methodNotAllowed,
  requestTimeout,
  contentTooLarge,
  unsupportedMediaType,
  internal
]

/** Of the same slug and status as one of `all`, with members of their own. */
export const namesakes = [versionNotFound, foreignRequest]
