/** What a command of `Orders` answers once its events are stored. */
import { type Duration, Effect, Exit } from "effect"
import type { OrderId } from "../order/OrderId.ts"
import type { OrderStatus, PaymentStatus } from "../order/OrderStatus.ts"
import type { OrderView } from "../views/order/OrderView.ts"
import type { QueryOptions, QueryResult } from "./QueryOptions.ts"

/** An accepted and stored command, on a product, a customer or an order. */
export interface CommandReceipt {
  /** The version that the command led to, or confirmed if there was nothing to do. */
  readonly version: number
  /** The position in the log at which that version was stored. */
  readonly position: bigint
  readonly commandId: string
  /** The types of the stored events, as in `order.placed.v1`; empty if there was nothing to do. */
  readonly events: ReadonlyArray<string>
  /** A consistency token: a query that is given it contains this write. */
  readonly token: string
  /** True if the command had been accepted before under its idempotency key; the receipt is the one of that time. */
  readonly replayed: boolean
}

/** An accepted and stored command on an order. */
export interface Receipt extends CommandReceipt {
  readonly orderId: OrderId
  readonly status: OrderStatus
  readonly paymentStatus: PaymentStatus
}

/** A placed order: as the view has it, or its receipt if the view was not there in time. It is stored in either case. */
export type PlacedOrder = Pick<Receipt, "orderId" | "token" | "replayed"> &
  ({ readonly order: OrderView; readonly receipt?: never } | { readonly order?: never; readonly receipt: Receipt })

type Get = (orderId: OrderId, options: QueryOptions) => Effect.Effect<QueryResult & { order: OrderView }, unknown>

/**
 * Reads the order with the receipt's write in it; undefined if it can't be read within `wait`. The command is stored by
 * then, so a failed read is no error.
 */
export const readBack = (get: Get, { orderId, token }: Receipt, wait: Duration.Input) =>
  Effect.map(Effect.exit(get(orderId, { token, wait })), (read) => (Exit.isSuccess(read) ? read.value : undefined))
