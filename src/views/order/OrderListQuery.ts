/**
 * Lists orders in the same way for every adapter: checks what is asked, makes a page of the entries that were found,
 * and gives it a cursor, which is the sort key of the page's last order, bound to filter and sort.
 */
import { Result, Schema } from "effect"
import { OrderId } from "../../order/OrderId.ts"
import { isTime } from "../Time.ts"
import * as Cursor from "../../projection/view/Cursor.ts"
import { type Freshness, InvalidCursor, readableRows } from "../../projection/view/ViewQuery.ts"
import * as PollingPlace from "./PollingPlace.ts"
import type { OrderFilter, OrderPage, OrderQueries, OrderSort } from "./OrderQueries.ts"
import type { StoredOrder } from "./StoredOrder.ts"

/** A list is sorted by this key of its orders. By `updatedAt`, every order up to the position has been listed. */
export type Key =
  | { readonly _tag: "Placed"; readonly placedAt: string; readonly orderId: OrderId }
  | PollingPlace.PollingPlace

/** A cursor belongs to one of these. */
export interface Listing {
  readonly filter: OrderFilter
  readonly sort: OrderSort
}

/**
 * This query for a page of orders was checked: the times of its filter are parsed, and its cursor is opened. The page
 * begins after the key `after`, or is the first page if there is none.
 */
export interface OrderListQuery extends Listing {
  readonly placedAfter: Date | undefined
  readonly placedBefore: Date | undefined
  readonly limit: number
  readonly after: Key | undefined
}

/** A filter means the same in whatever order it names its statuses. */
const boundTo = ({ filter: { paymentStatus, status, ...filter }, sort }: Listing) => [
  { ...filter, paymentStatus: paymentStatus?.toSorted(), status: status?.toSorted() },
  sort
]

export const cursorOf = (listing: Listing, key: Key): string =>
  Cursor.seal(boundTo(listing), key._tag === "Placed" ? [key.placedAt, key.orderId] : PollingPlace.toParts(key))

const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const isOrderId = Schema.is(OrderId)

export const keyOf = (listing: Listing, cursor: string): Result.Result<Key, InvalidCursor> =>
  Result.flatMap(Cursor.open(boundTo(listing), cursor), (parts): Result.Result<Key, InvalidCursor> => {
    const [first = "", second = ""] = parts
    const place = listing.sort === "updatedAt" ? PollingPlace.fromParts(parts) : undefined
    if (place !== undefined) return Result.succeed(place)
    return listing.sort !== "updatedAt" && time.test(first) && isTime(first) && isOrderId(second)
      ? Result.succeed({ _tag: "Placed", placedAt: first, orderId: second })
      : Result.fail(new InvalidCursor({}))
  })

/** Throws on a text that the filter's schema does not let through. */
const instant = (text: string | undefined): Date | undefined => {
  if (text === undefined) return undefined
  if (!isTime(text)) throw new TypeError(`${text} is not a time in ISO 8601`)
  return new Date(text)
}

export const parse = ({
  cursor,
  ...query
}: Parameters<OrderQueries["Service"]["list"]>[0]): Result.Result<OrderListQuery, InvalidCursor> =>
  Result.map(cursor === undefined ? Result.succeed(undefined) : keyOf(query, cursor), (after) => ({
    ...query,
    after,
    placedAfter: instant(query.filter.placedAfter),
    placedBefore: instant(query.filter.placedBefore)
  }))

/** A page holds so much text of orders, or one order if that one has more; links come on top of it. */
export const maxPageBytes = 1024 * 1024

/**
 * A row was found with the keys that lists are sorted by. `order` is undefined if the rest of it can't be read, or if the
 * page is full before it.
 */
export interface Found {
  /** The order's text has so many bytes. */
  readonly bytes: number
  readonly orderId: OrderId
  readonly placedAt: string
  readonly position: bigint
  readonly order: StoredOrder | undefined
}

/** Takes the first rows that fit into a page. */
const fitting = ({ limit }: OrderListQuery, found: ReadonlyArray<Found>): ReadonlyArray<Found> => {
  let bytes = 0
  const end = found.findIndex((row, index) => index >= limit || ((bytes += row.bytes) > maxPageBytes && index > 0))
  return end < 0 ? found : found.slice(0, end)
}

/** The place of a query that polls; undefined on its first page. */
export const placeOf = ({ after }: Pick<OrderListQuery, "after">) => (after?._tag === "Updated" ? after : undefined)

/** Makes a page of up to `limit + 1` rows that were found, in order, while these streams were parked. */
export const page = (
  query: OrderListQuery,
  found: ReadonlyArray<Found>,
  freshness: Freshness,
  parked?: string
): OrderPage => {
  const rows = fitting(query, found)
  const hasMore = found.length > rows.length
  const last = hasMore ? rows.at(-1) : undefined
  const next: Key | undefined =
    query.sort === "updatedAt"
      ? PollingPlace.after(placeOf(query), last?.position, freshness, parked)
      : last && { _tag: "Placed", placedAt: last.placedAt, orderId: last.orderId }
  const { readable: orders, ...told } = readableRows(
    rows.map(({ order }) => order),
    freshness
  )
  return { orders, hasMore, ...(next === undefined ? {} : { next: cursorOf(query, next) }), ...told }
}
