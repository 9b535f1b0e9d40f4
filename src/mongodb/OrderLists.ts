/** Makes the filters by which MongoDB finds the documents of a list, and counts orders: what `SqlOrderPages` does in SQL. */
import type * as Library from "mongodb"
import type { OrderListQuery } from "../views/order/OrderListQuery.ts"
import type { OrderDocument } from "./OrderDocument.ts"

type Filter = Library.Filter<OrderDocument>

const earliest = new Date("0001-01-01T00:00:00Z")

/** Some programs can't read earlier times, and no order is from then. */
const time = (text: string | Date) => (new Date(text) < earliest ? earliest : new Date(text))

/** The note of a collection has no such time. */
const everPlaced: Filter = { placedAt: { $gte: earliest } }

const orders = {
  "-placedAt": { placedAt: -1, _id: -1 },
  placedAt: { placedAt: 1, _id: 1 },
  updatedAt: { position: 1 }
} as const

/** The bound on the time alone is where the walk along the index begins. */
const following = ({ after, sort }: OrderListQuery): ReadonlyArray<Filter> => {
  if (after?._tag !== "Placed") return []
  const at = time(after.placedAt)
  return sort === "placedAt"
    ? [{ placedAt: { $gte: at } }, { $or: [{ placedAt: { $gt: at } }, { _id: { $gt: after.orderId } }] }]
    : [{ placedAt: { $lte: at } }, { $or: [{ placedAt: { $lt: at } }, { _id: { $lt: after.orderId } }] }]
}

/**
 * Gives the filter and the order of a list's documents. A list of changes ends at the checkpoint: behind it some may be
 * missing while a batch is being written.
 */
export const listOf = (query: OrderListQuery, checkpoint: bigint) => {
  const { after, filter, placedAfter, placedBefore, sort } = query
  const { customerId, paymentStatus, status } = filter
  const changedAfter = after?._tag === "Updated" ? after.position : 0n
  const conditions: Array<Filter> = [
    sort === "updatedAt" ? { position: { $gt: changedAfter, $lte: checkpoint } } : everPlaced,
    ...following(query),
    ...(customerId === undefined ? [] : [{ customerId }]),
    ...(status === undefined ? [] : [{ status: { $in: [...new Set<string>(status)] } }]),
    ...(paymentStatus === undefined ? [] : [{ paymentStatus: { $in: [...new Set<string>(paymentStatus)] } }]),
    ...(placedAfter === undefined ? [] : [{ placedAt: { $gte: time(placedAfter) } }]),
    ...(placedBefore === undefined ? [] : [{ placedAt: { $lt: time(placedBefore) } }])
  ]
  return { filter: { $and: conditions } satisfies Filter, sort: { ...orders[sort] } }
}

/** Counts the orders in each status from an index alone: as many keys of it are read as there are orders. */
export const orderCounts = (customerId: string | undefined): Array<Library.Document> => [
  { $match: customerId === undefined ? { status: { $gt: "" } } : { customerId } },
  { $group: { _id: "$status", orders: { $sum: 1 } } }
]
