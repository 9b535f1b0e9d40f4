/** The read side of orders. Answers come from the order view, never from an actor. */
import { Context, type Effect, Schema } from "effect"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { CustomerId, type OrderId } from "../../order/OrderId.ts"
import { OrderStatus, PaymentStatus } from "../../order/OrderStatus.ts"
import type { InvalidCursor } from "../ViewQuery.ts"
import type { OrderView } from "./OrderView.ts"

const iso = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/

/** A date (midnight UTC), or date and time with offset; looked at to the millisecond. */
const Instant = Schema.String.check(
  Schema.makeFilter((text: string) => iso.test(text) && !Number.isNaN(Date.parse(text)), {
    expected: "a time as 2026-11-21T23:55:00Z"
  })
)

/** All members must match; an empty list matches nothing. `placedAfter` is inclusive, `placedBefore` exclusive. */
export const OrderFilter = Schema.Struct({
  customerId: Schema.optionalKey(CustomerId),
  status: Schema.optionalKey(Schema.Array(OrderStatus)),
  paymentStatus: Schema.optionalKey(Schema.Array(PaymentStatus)),
  placedAfter: Schema.optionalKey(Instant),
  placedBefore: Schema.optionalKey(Instant)
})
export type OrderFilter = typeof OrderFilter.Type

/** `updatedAt` is for polling: ascending by position, a changed order comes again. */
export const OrderSort = Schema.Literals(["-placedAt", "placedAt", "updatedAt"])
export type OrderSort = typeof OrderSort.Type

/** How fresh an answer is, read in the same snapshot as its rows. */
export interface Freshness {
  /** The view's checkpoint. */
  readonly position: bigint
  /** Events of the log that the view has not applied. */
  readonly behind: number
  /** Age of the oldest unapplied event in seconds; 0 if there is none. */
  readonly lag: number
  /** Streams set aside. */
  readonly parked: number
}

export interface FoundOrder {
  readonly order?: OrderView
  readonly freshness: Freshness
  /** Present if the order is set aside: the position of its first event that the view does not have. */
  readonly parkedAt?: bigint
}

/** Every status, also those that no order is in. */
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
  readonly orders: ReadonlyArray<OrderView>
  /** Whether there are more right now. */
  readonly hasMore: boolean
  /**
   * Cursor of the next page. On the last one absent, except when sorted by `updatedAt`: then it is where polling goes on,
   * and orders that change from now on come after it.
   */
  readonly next?: string
  readonly freshness: Freshness
}

export class OrderQueries extends Context.Service<
  OrderQueries,
  {
    /** `order` is absent if the view does not (yet) have it. */
    get(orderId: OrderId): Effect.Effect<FoundOrder, DatabaseUnavailable>
    /** Keyset pages; `limit` 1..100. A cursor is bound to filter and sort. */
    list(query: {
      readonly filter: OrderFilter
      readonly sort: OrderSort
      readonly limit: number
      readonly cursor?: string
    }): Effect.Effect<OrderPage, InvalidCursor | DatabaseUnavailable>
    /** How many orders there are in each status, of one customer or of all. */
    counts(query: {
      readonly customerId?: CustomerId
    }): Effect.Effect<{ readonly counts: OrderCounts; readonly freshness: Freshness }, DatabaseUnavailable>
    /**
     * Waits until the view's committed checkpoint is at `position` or beyond, then answers the checkpoint. Bounded by
     * the caller (`Effect.timeoutOption`); waiting costs no query per waiter.
     */
    awaitPosition(position: bigint): Effect.Effect<bigint>
    /** The view's checkpoint as this process last saw it. */
    readonly position: Effect.Effect<bigint>
    /** Whether the view keeps up with the log, or, if another process makes it, is thought to. */
    readonly isLive: Effect.Effect<boolean>
  }
>()("ordinal/views/order/OrderQueries") {}
