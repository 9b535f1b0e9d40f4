/** What goes along with a call of `Orders`, and what comes back. */
import type { Duration } from "effect"
import type { UnknownCustomer, UnknownProduct } from "../catalog/Catalog.ts"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import type { Overloaded } from "../eventstore/EventStoreErrors.ts"
import type { Draining, InvalidIdempotencyKey, SendError } from "../aggregate/CommandErrors.ts"
import type { OnceError } from "../aggregate/idempotency/KeyedCommands.ts"
import type { CommandName } from "../order/OrderCommand.ts"
import type { OrderId } from "../order/OrderId.ts"
import type { OrderStatus, PaymentStatus } from "../order/OrderStatus.ts"
import type { RejectionOf } from "../order/OrderRejection.ts"
import type { InvalidToken } from "../projection/consistency/ConsistencyToken.ts"
import type { ProjectionBehind } from "../projection/consistency/ProjectionBehind.ts"
import type { Freshness } from "../views/order/OrderQueries.ts"
import type { ServerUnreachable } from "./ServerUnreachable.ts"
import type { InvalidPosition } from "./Subscription.ts"

/** An accepted and stored command on an order. `events` are wire types; none = there was nothing to do. */
export interface Receipt {
  readonly orderId: OrderId
  readonly version: number
  readonly position: bigint
  readonly commandId: string
  readonly status: OrderStatus
  readonly paymentStatus: PaymentStatus
  readonly events: ReadonlyArray<string>
  /** Consistency token: a query that is given it contains this write. */
  readonly token: string
  /** True if the command had been accepted before under its idempotency key: this is the answer of then. */
  readonly replayed: boolean
}

export interface WaitOptions {
  /** How long to wait for the view to get there; default 2 s, at most 30 s. */
  readonly wait?: Duration.Input
}

export interface QueryOptions extends WaitOptions {
  /** At least as fresh as this token. */
  readonly token?: string
}

export interface Answer {
  readonly freshness: Freshness
  readonly token: string
}

/** A part of a list under that name, and the cursor of the next one. */
export type Page<Name extends string, Item> = Answer & {
  readonly [Items in Name]: ReadonlyArray<Item>
} & { readonly hasMore: boolean; readonly next?: string }

/** What any command of any aggregate may answer besides the domain's own. */
export type SubmitError = SendError | OnceError | InvalidIdempotencyKey | ServerUnreachable
export type CommandError<Name extends CommandName = CommandName> = RejectionOf<Name> | SubmitError
export type PlaceError = CommandError<"PlaceOrder"> | UnknownProduct | UnknownCustomer
export type AddLineError = CommandError<"AddLine"> | UnknownProduct
/** What any query may answer besides its own. */
export type ReadError = DatabaseUnavailable | Overloaded | Draining | ServerUnreachable
export type QueryError = InvalidToken | ProjectionBehind | ReadError
export type SubscribeError = InvalidPosition | ReadError
