/** Answers order queries from memory, for tests and trials. */
import { Effect, Layer } from "effect"
import { EventStore } from "../../eventstore/EventStore.ts"
import { category, id } from "../../eventstore/StreamId.ts"
import { OrderPolicies } from "../../order/OrderPolicies.ts"
import { paymentStatus, status } from "../../order/OrderStatus.ts"
import * as ConsistencyToken from "../../projection/consistency/ConsistencyToken.ts"
import { InvalidCursor } from "../../projection/view/ViewQuery.ts"
import * as MemoryFold from "../MemoryFold.ts"
import * as OrderEntry from "./OrderEntry.ts"
import * as OrderListQuery from "./OrderListQuery.ts"
import { noOrders, OrderQueries } from "./OrderQueries.ts"
import * as StoredOrder from "./StoredOrder.ts"

type Query = OrderListQuery.OrderListQuery

const matches = ({ filter, placedAfter, placedBefore }: Query, { order }: OrderEntry.OrderEntry): boolean => {
  const placedAt = Date.parse(order.placedAt)
  return (
    (filter.customerId === undefined || filter.customerId === order.customerId) &&
    (filter.status === undefined || filter.status.includes(status(order))) &&
    (filter.paymentStatus === undefined || filter.paymentStatus.includes(paymentStatus(order))) &&
    (placedAfter === undefined || placedAt >= placedAfter.getTime()) &&
    (placedBefore === undefined || placedAt < placedBefore.getTime())
  )
}

/** Makes a sort key: times and order ids have a fixed form, so together they sort as text. */
const placed = (placedAt: string, orderId: string) => `${placedAt} ${orderId}`

const isFollowing = ({ after, sort }: Query, { order, position }: OrderEntry.OrderEntry): boolean => {
  if (after === undefined) return true
  if (after._tag === "Updated") return position > after.position
  const [own, last] = [placed(order.placedAt, order.id), placed(after.placedAt, after.orderId)]
  return sort === "placedAt" ? own > last : own < last
}

const inOrder = (sort: Query["sort"], entries: ReadonlyArray<OrderEntry.OrderEntry>) => {
  if (sort === "updatedAt") return entries.toSorted((left, right) => Number(left.position - right.position))
  const sorted = entries.toSorted((left, right) =>
    placed(left.order.placedAt, left.order.id) < placed(right.order.placedAt, right.order.id) ? -1 : 1
  )
  return sort === "placedAt" ? sorted : sorted.reverse()
}

export const make = Effect.gen(function* () {
  const policies = yield* OrderPolicies
  const log = yield* EventStore
  const entries = new Map<string, OrderEntry.OrderEntry>()
  const { awaitPosition, position, read } = yield* MemoryFold.make((event) => {
    const { streamId } = event
    if (category(streamId) === "order") entries.set(id(streamId), OrderEntry.evolve(entries.get(id(streamId)), event))
  })

  return OrderQueries.of({
    get: (orderId, token) =>
      read((freshness) => {
        const entry = entries.get(orderId)
        if (entry === undefined) return { freshness }
        return { order: StoredOrder.fromState(entry.order, entry.updatedAt, policies), freshness }
      }, token),

    list: Effect.fnUntraced(function* (query, token) {
      const parsed = yield* Effect.fromResult(OrderListQuery.parse(query))
      const place = OrderListQuery.placeOf(parsed)
      if (place?.read !== undefined) {
        yield* ConsistencyToken.verify(log, (yield* log.head).logId, place.read).pipe(
          Effect.catchTag(
            "InvalidToken",
            ({ position }) => new InvalidCursor(position === undefined ? {} : { position })
          )
        )
      }
      return yield* read((freshness) => {
        const found = [...entries.values()].filter((entry) => matches(parsed, entry) && isFollowing(parsed, entry))
        const some = inOrder(parsed.sort, found).slice(0, parsed.limit + 1)
        const rows = some.map(({ order, position, updatedAt }) => {
          const { id: orderId, placedAt } = order
          const stored = StoredOrder.fromState(order, updatedAt, policies)
          return { orderId, placedAt, position, order: stored, bytes: Buffer.byteLength(stored.text) }
        })
        return OrderListQuery.page(parsed, rows, freshness)
      }, token)
    }),

    counts: ({ customerId }, token) =>
      read((freshness) => {
        const counts = { ...noOrders }
        for (const { order } of entries.values()) {
          if (customerId === undefined || customerId === order.customerId) counts[status(order)]++
        }
        return { counts, freshness }
      }, token),

    awaitPosition,
    position,
    isLive: Effect.succeed(true)
  })
})

export const layer = Layer.effect(OrderQueries, make)
