/** Where a list of orders goes on: the key of the last order of a page, bound to filter and sort. Opaque to callers. */
import { Result, Schema } from "effect"
import { OrderId } from "../order/OrderId.ts"
import { InvalidCursor } from "./InvalidCursor.ts"
import type { OrderFilter, OrderSort } from "./order/OrderQueries.ts"
import * as OpaqueCursor from "./OpaqueCursor.ts"

/** The key of an order by which the list is sorted. For `updatedAt` every order up to the position has been listed. */
export type Key =
  | { readonly _tag: "Placed"; readonly placedAt: string; readonly orderId: OrderId }
  | { readonly _tag: "Updated"; readonly position: bigint }

export interface Query {
  readonly filter: OrderFilter
  readonly sort: OrderSort
}

const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const number = /^(?:0|[1-9]\d{0,17})$/
const isOrderId = Schema.is(OrderId)

const partsOf = (key: Key): ReadonlyArray<string> =>
  key._tag === "Placed" ? [key.placedAt, key.orderId] : [String(key.position)]

/** The order of statuses in a filter means nothing. */
const normal = ({ paymentStatus, status, ...filter }: OrderFilter) => ({
  ...filter,
  paymentStatus: paymentStatus?.toSorted(),
  status: status?.toSorted()
})

const bound = ({ filter, sort }: Query) => [normal(filter), sort]

export const make = (query: Query, key: Key): string => OpaqueCursor.seal(bound(query), partsOf(key))

const keyOf = (parts: ReadonlyArray<string>, sort: OrderSort): Key | undefined => {
  const [first = "", second = ""] = parts
  if (sort === "updatedAt") return number.test(first) ? { _tag: "Updated", position: BigInt(first) } : undefined
  return instant.test(first) && !Number.isNaN(Date.parse(first)) && isOrderId(second)
    ? { _tag: "Placed", placedAt: first, orderId: second }
    : undefined
}

export const parse = (query: Query, cursor: string): Result.Result<Key, InvalidCursor> => {
  const parts = OpaqueCursor.open(bound(query), cursor)
  const key = parts === undefined ? undefined : keyOf(parts, query.sort)
  return key === undefined ? Result.fail(new InvalidCursor()) : Result.succeed(key)
}
