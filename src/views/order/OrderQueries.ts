/** This port answers queries of orders from the order view, never from an actor. */
import { Context, type Effect, Schema } from "effect"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { CustomerId, type OrderId } from "../../order/OrderId.ts"
import { OrderStatus, PaymentStatus } from "../../order/OrderStatus.ts"
import { Time } from "../Time.ts"
import type { ConsistencyToken } from "../../projection/consistency/ConsistencyToken.ts"
import type { Freshness, InvalidCursor, TokenError } from "../../projection/view/ViewQuery.ts"
import type { StoredOrder } from "./StoredOrder.ts"

/**
 * An order must match every member; an empty list matches nothing. `placedAfter` is inclusive, `placedBefore`
 * exclusive.
 */
export const OrderFilter = Schema.Struct({
  customerId: Schema.optionalKey(CustomerId),
  status: Schema.optionalKey(Schema.Array(OrderStatus)),
  paymentStatus: Schema.optionalKey(Schema.Array(PaymentStatus)),
  placedAfter: Schema.optionalKey(Time),
  placedBefore: Schema.optionalKey(Time)
})
export type OrderFilter = typeof OrderFilter.Type

/** `updatedAt` is for polling: it is ascending by position, and an order that changed comes again. */
export const OrderSort = Schema.Literals(["-placedAt", "placedAt", "updatedAt"])
export type OrderSort = typeof OrderSort.Type

export interface FoundOrder {
  readonly order?: StoredOrder
  readonly freshness: Freshness
  /** If the order is set aside, the first event that the view does not have is at this position. */
  readonly parkedAt?: bigint
  /** True if the view was not read, so that it may have set more streams aside than `freshness` says. */
  readonly isCached?: boolean
}

/** Counts the orders in each status, 0 included. */
export const OrderCounts = Schema.Record(OrderStatus, Schema.Int).annotate({ identifier: "OrderCounts" })
export type OrderCounts = typeof OrderCounts.Type

export const noOrders: OrderCounts = {
  placed: 0,
  confirmed: 0,
  partially_shipped: 0,
  shipped: 0,
  delivered: 0,
  returned: 0,
  cancelled: 0
}

export interface OrderPage {
  readonly orders: ReadonlyArray<StoredOrder>
  /** This is true if more orders match right now. */
  readonly hasMore: boolean
  /**
   * This is the cursor of the next page. It is absent on the last page, unless the list is sorted by `updatedAt`: then
   * polling goes on from it, and orders that change from now on come after it.
   */
  readonly next?: string
  readonly freshness: Freshness
}

export class OrderQueries extends Context.Service<
  OrderQueries,
  {
    /** Reads one order; `order` is absent if the view does not have it (yet). */
    get(orderId: OrderId, token?: ConsistencyToken): Effect.Effect<FoundOrder, TokenError | DatabaseUnavailable>
    /**
     * Lists a page of at most `limit` 1..100 orders, and at most 1 MiB of their text if they are more than one. Fails with
     * `InvalidCursor` if the cursor is of another filter or sort.
     */
    list(
      query: {
        readonly filter: OrderFilter
        readonly sort: OrderSort
        readonly limit: number
        readonly cursor?: string
      },
      token?: ConsistencyToken
    ): Effect.Effect<OrderPage, InvalidCursor | TokenError | DatabaseUnavailable>
    /** Counts the orders in each status, of one customer or of all. */
    counts(
      query: { readonly customerId?: CustomerId },
      token?: ConsistencyToken
    ): Effect.Effect<{ readonly counts: OrderCounts; readonly freshness: Freshness }, TokenError | DatabaseUnavailable>
    /**
     * Waits until the view's committed checkpoint is at `position` or beyond, then answers the checkpoint. The caller
     * bounds the wait (`Effect.timeoutOption`); it costs no query per waiter.
     */
    awaitPosition(position: bigint): Effect.Effect<bigint>
    /** Answers the view's checkpoint as this process last saw it, without asking the database. */
    readonly position: Effect.Effect<bigint>
    /** Answers true if the view keeps up with the log, or is thought to because another process makes it. */
    readonly isLive: Effect.Effect<boolean>
  }
>()("ordinal/views/order/OrderQueries") {}
