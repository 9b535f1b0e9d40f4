/**
 * Where a list goes on: the key of the last order of a page, bound by a short hash to filter and sort. Opaque to
 * callers. The hash tells a cursor that was damaged or belongs to another query; it protects no secret, since every page
 * is filtered anyway.
 */
import { Result, Schema } from "effect"
import { Base64Url } from "effect/encoding"
import { createHash } from "node:crypto"
import { canonicalJson } from "../eventsourcing/CanonicalJson.ts"
import { OrderId } from "../order/OrderId.ts"
import { InvalidCursor } from "./InvalidCursor.ts"
import type { OrderFilter, OrderSort } from "./OrderFilter.ts"

/** The key of an order by which the list is sorted. For `updatedAt` every order up to the position has been listed. */
export type Key =
  | { readonly _tag: "Placed"; readonly placedAt: string; readonly orderId: OrderId }
  | { readonly _tag: "Updated"; readonly position: bigint }

export interface Query {
  readonly filter: OrderFilter
  readonly sort: OrderSort
}

const version = "1"
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

export const make = ({ filter, sort }: Query, key: Key): string => {
  const parts = [version, ...partsOf(key)]
  const hash = createHash("sha256")
    .update(canonicalJson([parts, normal(filter), sort]))
    .digest("base64url")
  return Base64Url.encode([...parts, hash.slice(0, 11)].join("|"))
}

const keyOf = (parts: ReadonlyArray<string>, sort: OrderSort): Key | undefined => {
  const [first = "", second = ""] = parts
  if (sort === "updatedAt") return number.test(first) ? { _tag: "Updated", position: BigInt(first) } : undefined
  return instant.test(first) && !Number.isNaN(Date.parse(first)) && isOrderId(second)
    ? { _tag: "Placed", placedAt: first, orderId: second }
    : undefined
}

export const parse = (query: Query, cursor: string): Result.Result<Key, InvalidCursor> => {
  const parts = Result.getOrElse(Base64Url.decodeString(cursor), () => "").split("|")
  const key = keyOf(parts.slice(1), query.sort)
  // Made again from its key it must be the same, to the last character: so the hash, the version and the form are right.
  return key !== undefined && make(query, key) === cursor ? Result.succeed(key) : Result.fail(new InvalidCursor())
}
