/** What a list asks for, and how the found entries become a page: the same for every adapter. */
import { Effect, Result } from "effect"
import type { OrderPolicies } from "../../order/OrderPolicies.ts"
import * as Cursor from "../Cursor.ts"
import type { InvalidCursor } from "../InvalidCursor.ts"
import type { OrderEntry } from "./OrderEntry.ts"
import type { Freshness, OrderFilter, OrderPage, OrderQueries, OrderSort } from "./OrderQueries.ts"
import * as OrderView from "./OrderView.ts"

/** A query, checked: instants are instants, and the cursor is the key after which the list goes on. */
export interface OrderListQuery {
  readonly filter: OrderFilter
  readonly placedAfter: Date | undefined
  readonly placedBefore: Date | undefined
  readonly sort: OrderSort
  readonly limit: number
  readonly after: Cursor.Key | undefined
}

/** Such a filter does not get past its schema. */
const instant = (text: string | undefined): Date | undefined => {
  if (text === undefined) return undefined
  const instant = new Date(text)
  if (Number.isNaN(instant.getTime())) throw new TypeError(`${text} is not a time in ISO 8601`)
  return instant
}

export const parse = ({
  cursor,
  ...query
}: Parameters<OrderQueries["Service"]["list"]>[0]): Effect.Effect<OrderListQuery, InvalidCursor> =>
  Effect.suspend(() => {
    const after = cursor === undefined ? Result.succeed(undefined) : Cursor.parse(query, cursor)
    return Effect.fromResult(
      Result.map(after, (after) => ({
        ...query,
        after,
        placedAfter: instant(query.filter.placedAfter),
        placedBefore: instant(query.filter.placedBefore)
      }))
    )
  })

const keyOf = ({ order, position }: OrderEntry, sort: OrderSort): Cursor.Key =>
  sort === "updatedAt" ? { _tag: "Updated", position } : { _tag: "Placed", placedAt: order.placedAt, orderId: order.id }

/** Once nothing more is found by `updatedAt`, all that the view holds has been seen: polling goes on from there. */
const seen = ({ after, sort }: OrderListQuery, { position }: Freshness): Cursor.Key | undefined => {
  if (sort !== "updatedAt") return undefined
  return after?._tag === "Updated" && after.position > position ? after : { _tag: "Updated", position }
}

/** `found`: up to `limit + 1` entries in order. */
export const page = (
  query: OrderListQuery,
  found: ReadonlyArray<OrderEntry>,
  freshness: Freshness,
  policies: OrderPolicies
): OrderPage => {
  const entries = found.slice(0, query.limit)
  const hasMore = found.length > query.limit
  const last = entries.at(-1)
  const next = hasMore && last !== undefined ? keyOf(last, query.sort) : seen(query, freshness)
  return {
    orders: entries.map(({ order, updatedAt }) => OrderView.fromState(order, updatedAt, policies)),
    hasMore,
    ...(next === undefined ? {} : { next: Cursor.make(query, next) }),
    freshness
  }
}
