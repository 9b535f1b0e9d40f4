/** Describes what a query of `Orders` may be given, and what it answers. Numbers out of range are clamped. */
import type { Duration, Effect } from "effect"
import type { Unavailable } from "../aggregate/CommandErrors.ts"
import type { InvalidRequest } from "../aggregate/InvalidRequest.ts"
import type { CustomerId, ProductId } from "../order/OrderId.ts"
import type { InvalidToken } from "../projection/consistency/ConsistencyToken.ts"
import type { Freshness, InvalidCursor } from "../projection/view/ViewQuery.ts"
import type { QueryError, ServerUnreachable } from "./OrdersError.ts"
import type { OrderFilter, OrderSort } from "../views/order/OrderQueries.ts"

export interface WaitOptions {
  /** The query waits so long for the view to get there; 2 s by default, 30 s at most. */
  readonly wait?: Duration.Input
}

export interface TokenOption {
  /** The result is at least as fresh as the answer or receipt that this consistency token came with. */
  readonly token?: string
}

export interface QueryOptions extends WaitOptions, TokenOption {}

/** Asks for a part of an order's history. */
export interface HistoryOptions extends TokenOption {
  readonly after?: number
  readonly limit?: number
}

export interface CatalogWaitOptions extends WaitOptions {
  /** The wait fails as `parked` if the view has set this product aside before the write. */
  readonly productId?: ProductId
  /** The wait fails as `parked` if the view has set this customer aside before the write. */
  readonly customerId?: CustomerId
}

/** Asks for one page of a list of orders. */
export interface OrderListRequest {
  readonly filter?: OrderFilter
  /** The order is `-placedAt`, newest first, by default. */
  readonly sort?: OrderSort
  /** A page has at most so many orders, 1..100, 20 by default; fewer where they are large, about 1 MiB in all. */
  readonly limit?: number
  /**
   * The cursor is the `next` of the page before the one that is asked for; `filter` and `sort` must be the same as they
   * were for that page. Without a cursor, the first page is given.
   */
  readonly cursor?: string
}

/** Asks for one page of the products or customers, by id. */
export interface CatalogListRequest {
  /** `true` lists only what was withdrawn, `false` only what was not; both by default. */
  readonly withdrawn?: boolean
  /** A page has 1..100 items, 20 by default. */
  readonly limit?: number
  /** The page follows the one whose `next` this is; `withdrawn` must be the same. */
  readonly cursor?: string
}

/** Every answer from a view comes with these. */
export interface QueryResult {
  readonly freshness: Freshness
  /** A later query that is given this consistency token is at least as fresh as this one. */
  readonly token: string
}

/** A page holds its items under `Name`; `next` is the cursor of the page after it. */
export type Page<Name extends string, Item> = QueryResult & {
  readonly [Items in Name]: ReadonlyArray<Item>
} & { readonly hasMore: boolean; readonly next?: string }

/** Answers a query from a view. */
export type FromView<A, Error = never> = Effect.Effect<QueryResult & A, Error | QueryError>

/**
 * Answers a query with a page. It fails with `InvalidCursor` if the cursor is another list's: begin again without one.
 */
export type List<Name extends string, Item> = Effect.Effect<Page<Name, Item>, InvalidCursor | QueryError>

/**
 * Reads the newest state of a product or customer, which is never behind a token. It fails with `InvalidToken` if the
 * token is another log's: drop it.
 */
export type CatalogRead<A, NotFound> = Effect.Effect<
  A & QueryResult,
  NotFound | InvalidToken | InvalidRequest | Unavailable | ServerUnreachable
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

/**
 * Turns the limit that a caller asked for into the size of a page of an order's history: 1 to 500, or 100 if none is
 * given.
 */
export const clampHistoryLimit = clampTo({ least: 1, most: 500, otherwise: 100 })

/** No stream gets so far, and every number up to it can be asked for in a query. */
const lastVersion = 2_147_483_647

/** Makes any number a version to go on after; 0 is before the first event. */
export const clampVersion = clampTo({ least: 0, most: lastVersion, otherwise: 0 })

/** Tells whether a stream can have such a version. */
export const isVersion = (asked: number): boolean => Number.isInteger(asked) && asked >= 1 && asked <= lastVersion
