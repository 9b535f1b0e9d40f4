/** What a query of `Orders` may be given, and what it answers. Numbers out of range are clamped. */
import type { Duration, Effect } from "effect"
import type { Unavailable } from "../aggregate/CommandErrors.ts"
import type { CustomerId, ProductId } from "../order/OrderId.ts"
import type { InvalidToken } from "../projection/consistency/ConsistencyToken.ts"
import type { Freshness, InvalidCursor } from "../views/ViewQuery.ts"
import type { QueryError, ServerUnreachable } from "./OrdersError.ts"
import type { OrderFilter, OrderSort } from "../views/order/OrderQueries.ts"

export interface WaitOptions {
  /** How long to wait for the view to get there; 2 s by default, 30 s at most. */
  readonly wait?: Duration.Input
}

export interface QueryOptions extends WaitOptions {
  /** A consistency token of an earlier answer or receipt: the result is at least as fresh. */
  readonly token?: string
}

export interface CatalogWaitOptions extends WaitOptions {
  /** The product that was written: the wait fails as `parked` if the view has set it aside before that write. */
  readonly productId?: ProductId
  /** The customer that was written, likewise. */
  readonly customerId?: CustomerId
}

/** One page of a list of orders. */
export interface OrderListRequest {
  readonly filter?: OrderFilter
  /** `-placedAt`, newest first, by default. */
  readonly sort?: OrderSort
  /** 1..100 orders, 20 by default. */
  readonly limit?: number
  /** The `next` of the page before, with the same filter and sort. */
  readonly cursor?: string
}

/** One page of the products or customers, by id. */
export interface CatalogListRequest {
  /** `true` lists only what was withdrawn, `false` only what was not; both by default. */
  readonly withdrawn?: boolean
  /** 1..100 of them, 20 by default. */
  readonly limit?: number
  /** The `next` of the page before, with the same `withdrawn`. */
  readonly cursor?: string
}

/** Comes with every answer from a view. */
export interface QueryResult {
  readonly freshness: Freshness
  /** A consistency token: a later query that is given it is at least as fresh as this one. */
  readonly token: string
}

/** One page of a list, its items under `Name`; `next` is the cursor of the page after it. */
export type Page<Name extends string, Item> = QueryResult & {
  readonly [Items in Name]: ReadonlyArray<Item>
} & { readonly hasMore: boolean; readonly next?: string }

/** A query of a view. */
export type FromView<A, Error = never> = Effect.Effect<QueryResult & A, Error | QueryError>

/** A query of a page. It fails with `InvalidCursor` if the cursor is another list's: begin again without one. */
export type List<Name extends string, Item> = Effect.Effect<Page<Name, Item>, InvalidCursor | QueryError>

/**
 * A read of the newest state of a product or customer, which is never behind a token. It fails with `InvalidToken` if the
 * token is another log's: drop it.
 */
export type CatalogRead<A, NotFound> = Effect.Effect<
  A & { readonly token: string },
  NotFound | InvalidToken | Unavailable | ServerUnreachable
>

interface Range {
  readonly least: number
  readonly most: number
  /** Replaces a number that was left out, or is none. */
  readonly otherwise: number
}

const clampTo =
  ({ least, most, otherwise }: Range) =>
  (asked: number | undefined): number =>
    asked === undefined || Number.isNaN(asked) ? otherwise : Math.min(Math.max(Math.trunc(asked), least), most)

/** Makes any number the size of a page of a list. */
export const clampListLimit = clampTo({ least: 1, most: 100, otherwise: 20 })

/** Makes any number the size of a page of an order's history. */
export const clampHistoryLimit = clampTo({ least: 1, most: 500, otherwise: 100 })

/** No stream gets so far, and every number up to it can be asked for in a query. */
const lastVersion = 2_147_483_647

/** Makes any number a version to go on after; 0 is before the first event. */
export const clampVersion = clampTo({ least: 0, most: lastVersion, otherwise: 0 })

/** Tells whether a stream can have such a version. */
export const isVersion = (asked: number): boolean => Number.isInteger(asked) && asked >= 1 && asked <= lastVersion
