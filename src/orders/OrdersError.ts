/** Lists every way in which a call of `Orders` can fail, and says what the caller should do then. */
import { Schema } from "effect"
import type { Draining, IdempotencyError, SendError, ServerUnreachable } from "../aggregate/CommandErrors.ts"
import type { InvalidRequest } from "../aggregate/InvalidRequest.ts"
import type { UnknownCustomer, UnknownProduct } from "../catalog/Catalog.ts"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import type { Overloaded } from "../eventstore/EventStoreErrors.ts"
import type { CommandName } from "../order/OrderCommand.ts"
import { OrderId } from "../order/OrderId.ts"
import type { RejectionOf } from "../order/rules/RejectionsOf.ts"
import type { InvalidToken, ProjectionBehind } from "../projection/consistency/ConsistencyToken.ts"

export { ServerUnreachable } from "../aggregate/CommandErrors.ts"

/** The order has fewer events than that, or no order can have such a version (-1, 1.5). */
export class VersionNotFound extends Schema.TaggedError<VersionNotFound>()(
  "VersionNotFound",
  { orderId: OrderId, version: Schema.Int },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `Order ${this.orderId} has no version ${this.version}; ask for one between 1 and its current version.`
  }

  /** Takes any number: only over HTTP must a version that somebody asks for be an integer. */
  static of(orderId: OrderId, version: number) {
    return new VersionNotFound({ orderId, version }, { disableChecks: true })
  }
}

/**
 * This log does not know the position: it is beyond the log's end or negative, or another event is there than the one
 * that its check was made of.
 */
export class InvalidPosition extends Schema.TaggedError<InvalidPosition>()(
  "InvalidPosition",
  { position: Schema.BigInt, head: Schema.BigInt },
  { httpApiStatus: 400 }
) {
  override get message() {
    return `This log, which ends at ${this.head}, does not know position ${this.position}: history was lost by restoring an older copy, or the position is of another log. Begin after a position that this log gave, after 0, or without one, and compare with what you have.`
  }
}

/**
 * Any command may fail so. But for `OutcomeUnknown`, nothing was stored:
 * - `InvalidRequest`: the arguments have the mistakes that its `errors` name by their place. Correct them.
 * - `VersionMismatch`: the `precondition` names another version than the current one. Read again and decide anew.
 * - `ConcurrencyConflict`: other writers won every race until the deadline. Send the command again.
 * - `CommandInProgress`: the same command is still running under this idempotency key. Send it again after `retryAfter`.
 * - `CommandIdReused`: the idempotency key was used for another request. Use a new key.
 * - `InvalidIdempotencyKey`: the key is malformed. Use 1 to 255 printable ASCII characters.
 * - `Overloaded`, `DatabaseUnavailable`, `Draining`, `AggregateSuspended`, `ServerUnreachable`: the service can't do it
 *   now. Send the command again after `retryAfter` seconds.
 * - `OutcomeUnknown`: the answer was lost, and the command may be stored. Send it again with the same idempotency key, or
 *   read the order first.
 */
export type SubmitError = SendError | IdempotencyError

/**
 * A command on an order may fail with the rejections that its method names, and like any command. Rejections store
 * nothing and would be the same if the command were sent again:
 * - `OrderNotFound`, `LineNotFound`, `ShipmentNotFound`, `PaymentNotFound`: no such id. Correct it.
 * - `InvalidTransition`: the order's status forbids it; `allowed` lists the commands that are possible now.
 * - `IdReused`, `OrderExists`: the id is taken, by another content. Use another id, or leave it out.
 * - `QuantityExceeded`, `AmountExceeded`: ask for at most what is `available`.
 * - `InvalidOrder`: correct the fields that `errors` names.
 * - `OrderTooLong`: the order holds 10,000 events and takes no more.
 */
export type CommandError<Name extends CommandName = CommandName> = RejectionOf<Name> | SubmitError

/** `UnknownProduct` and `UnknownCustomer` mean: not in the catalog, or withdrawn. Save them first, or order others. */
export type PlaceError = CommandError<"PlaceOrder"> | UnknownProduct | UnknownCustomer
export type AddLineError = CommandError<"AddLine"> | UnknownProduct

/**
 * Any read may fail so: the service can't answer now. Ask again after `retryAfter` seconds; after `InvalidRequest`,
 * correct first what its `errors` name.
 */
export type ReadError = InvalidRequest | DatabaseUnavailable | Overloaded | Draining | ServerUnreachable

/**
 * Any query of a view may fail so, besides with a `ReadError`:
 * - `InvalidToken`: the token is not of this log. Leave it out, or use one of a later answer.
 * - `ProjectionBehind`: the view did not reach the token in time. Ask again after `retryAfter` seconds or with a longer
 *   `wait`; if it is `parked`, an operator has to act first.
 */
export type QueryError = InvalidToken | ProjectionBehind | ReadError

/** A subscription may fail so. After `InvalidPosition`, begin without a position, or after one that this log gave. */
export type SubscribeError = InvalidPosition | ReadError
