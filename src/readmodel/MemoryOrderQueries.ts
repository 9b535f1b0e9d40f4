/** Order queries from a fold of the log kept in memory: no table, no checkpoint; it starts anew with the process. */
import { Clock, Effect, Layer, Stream } from "effect"
import { backoff } from "../eventlog/Backoff.ts"
import { EventLog } from "../eventlog/EventLog.ts"
import { LogTail } from "../eventlog/LogTail.ts"
import { category, id } from "../eventlog/StreamId.ts"
import { OrderPolicies } from "../order/OrderPolicies.ts"
import { paymentStatus, status } from "../order/OrderStatus.ts"
import * as PositionGate from "../projection/PositionGate.ts"
import type { Batch } from "../projection/Projection.ts"
import * as OrderEntry from "./OrderEntry.ts"
import * as OrderListQuery from "./OrderListQuery.ts"
import { type Freshness, noOrders, OrderQueries } from "./OrderQueries.ts"
import * as OrderView from "./OrderView.ts"

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

/** Instants and order ids have a fixed form, so that together they sort as texts. */
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
  const log = yield* EventLog
  const tail = yield* LogTail
  const gate = PositionGate.make()
  const entries = new Map<string, OrderEntry.OrderEntry>()
  let applied = 0n

  const apply = (events: Batch) => {
    for (const event of events) {
      const orderId = id(event.streamId)
      if (category(event.streamId) === "order") {
        entries.set(orderId, OrderEntry.evolve(entries.get(orderId), event))
      }
      applied = event.position
    }
    gate.advance(applied)
  }

  yield* Effect.suspend(() =>
    Stream.runForEach(tail.pages(applied), (events) => Effect.sync(() => apply(events)))
  ).pipe(
    Effect.tapCause((cause) => Effect.logError("the orders in memory stay behind; it is tried again", cause)),
    Effect.sandbox,
    Effect.retry(backoff),
    Effect.forkScoped({ startImmediately: true })
  )

  /** Asks the log first: what is read from memory after that is at least as new, and read at one moment. */
  const read = Effect.fnUntraced(function* <A>(evaluate: (freshness: Freshness) => A) {
    const { position: head } = yield* log.head
    const [oldest] = yield* log.readAll({ after: applied, limit: 1 })
    const now = yield* Clock.currentTimeMillis
    const isBehind = oldest !== undefined && oldest.position > applied
    return evaluate({
      position: applied,
      behind: head > applied ? Number(head - applied) : 0,
      lag: isBehind ? Math.max(0, now - Date.parse(oldest.recordedAt)) / 1_000 : 0,
      parked: 0
    })
  })

  return OrderQueries.of({
    get: (orderId) =>
      read((freshness) => {
        const entry = entries.get(orderId)
        if (entry === undefined) return { freshness }
        return { order: OrderView.fromState(entry.order, entry.updatedAt, policies), freshness }
      }),

    list: Effect.fnUntraced(function* (query) {
      const parsed = yield* OrderListQuery.parse(query)
      return yield* read((freshness) => {
        const found = [...entries.values()].filter((entry) => matches(parsed, entry) && isFollowing(parsed, entry))
        return OrderListQuery.page(parsed, inOrder(parsed.sort, found).slice(0, parsed.limit + 1), freshness, policies)
      })
    }),

    counts: ({ customerId }) =>
      read((freshness) => {
        const counts = { ...noOrders }
        for (const { order } of entries.values()) {
          if (customerId === undefined || customerId === order.customerId) counts[status(order)]++
        }
        return { counts, freshness }
      }),

    awaitPosition: gate.awaitPosition,
    position: Effect.sync(() => gate.position()),
    isLive: Effect.succeed(true)
  })
})

export const layer = Layer.effect(OrderQueries, make)
