/** A command of `Orders` answers with a receipt once its events are stored. */
import { type Duration, Effect, Exit } from "effect"
import type { OrderId } from "../order/OrderId.ts"
import type { OrderStatus, PaymentStatus } from "../order/OrderStatus.ts"
import type { OrderView } from "../views/order/OrderView.ts"
import type { QueryOptions, QueryResult } from "./QueryOptions.ts"

/** Proves that a command on a product, a customer or an order was accepted and stored. */
export interface CommandReceipt {
  /** The command led to this version, or confirmed it if there was nothing to do. */
  readonly version: number
  /** The version was stored at this position in the log. */
  readonly position: bigint
  readonly commandId: string
  /** Names the types of the stored events, as in `order.placed.v1`; it is empty if there was nothing to do. */
  readonly events: ReadonlyArray<string>
  /** A query that is given this consistency token contains the write. */
  readonly token: string
  /** This is true if the command was accepted before under its idempotency key; the receipt is the one of that time. */
  readonly replayed: boolean
}

/** Proves that a command on an order was accepted and stored, and says what became of the order. */
export interface Receipt extends CommandReceipt {
  readonly orderId: OrderId
  readonly status: OrderStatus
  readonly paymentStatus: PaymentStatus
}

/** Holds a placed order as the view has it, or its receipt if the view was too late. It is stored in either case. */
export type PlacedOrder = Pick<Receipt, "orderId" | "token" | "replayed"> &
  ({ readonly order: OrderView; readonly receipt?: never } | { readonly order?: never; readonly receipt: Receipt })

type Get = (orderId: OrderId, options: QueryOptions) => Effect.Effect<QueryResult & { order: OrderView }, unknown>

/**
 * Reads the order with the receipt's write in it; undefined if it can't be read within `wait`. The command is stored by
 * then, so a failed read is no error.
 */
export const readBack = (get: Get, { orderId, token }: Receipt, wait: Duration.Input) =>
  Effect.map(Effect.exit(get(orderId, { token, wait })), (read) => (Exit.isSuccess(read) ? read.value : undefined))
