/**
 * Tests what every implementation of `OrderQueries` must do, on a log and with a runner of its own:
 * `orderQueriesContract("memory", layer)`.
 */
import { assert, describe, layer as withLayer } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { EventStore, type RecordedEvent } from "../../src/eventstore/EventStore.ts"
import * as ConsistencyToken from "../../src/projection/consistency/ConsistencyToken.ts"
import { CustomerId, OrderId } from "../../src/order/OrderId.ts"
import { InvalidCursor } from "../../src/projection/view/ViewQuery.ts"
import type { OrderEntry } from "../../src/views/order/OrderEntry.ts"
import { noOrders, type OrderFilter, OrderQueries, type OrderSort } from "../../src/views/order/OrderQueries.ts"
import type { OrderView } from "../../src/views/order/OrderView.ts"
import * as StoredOrder from "../../src/views/order/StoredOrder.ts"
import * as OrderViews from "../../src/views/order/OrderView.ts"
import { foldedEntries } from "../judges/OrderViewFold.ts"
import { seed, seeded } from "../fixtures/SeededRandom.ts"
import { append, orderLives } from "../orders/OrderLives.ts"
import { filtersBetween } from "./OrderFilters.ts"

interface List {
  readonly filter: OrderFilter
  readonly sort: OrderSort
}

/** Appends and waits until the queries show it. */
const appendSeen = Effect.fnUntraced(function* (entries: Parameters<typeof append>[0], batch?: number) {
  const queries = yield* OrderQueries
  const head = yield* append(entries, batch)
  yield* queries.awaitPosition(head)
  return head
})

/** All pages; between two of them something may happen. The limit changes from page to page. */
const readAll = Effect.fnUntraced(function* <E, R>(list: List, between: Effect.Effect<unknown, E, R>) {
  const draw = seeded(seed)
  const queries = yield* OrderQueries
  const orders: Array<OrderView> = []
  let cursor: string | undefined
  while (true) {
    const limit = 1 + Math.floor(draw() * 12)
    const page = yield* queries.list({ ...list, limit, ...(cursor === undefined ? {} : { cursor }) })
    assert.isAtMost(page.orders.length, limit)
    orders.push(...page.orders.map(StoredOrder.decode))
    if (!page.hasMore) return { orders, next: page.next }
    cursor = page.next
    assert.isDefined(cursor)
    yield* between
  }
})

const ids = (orders: ReadonlyArray<OrderView>) => orders.map((order) => order.orderId)

/** What the list would be, obviously right: the fold, filtered and sorted as a whole. */
const select = (entries: ReadonlyArray<OrderEntry>, { filter, sort }: List): ReadonlyArray<OrderView> => {
  const time = (text: string) => Date.parse(text)
  const found = entries
    .map((entry) => ({ ...entry, view: OrderViews.fromState(entry.order, entry.updatedAt) }))
    .filter(
      ({ view }) =>
        (filter.customerId ?? view.customerId) === view.customerId &&
        (filter.status ?? [view.status]).includes(view.status) &&
        (filter.paymentStatus ?? [view.paymentStatus]).includes(view.paymentStatus) &&
        time(view.placedAt) >= time(filter.placedAfter ?? view.placedAt) &&
        (filter.placedBefore === undefined || time(view.placedAt) < time(filter.placedBefore))
    )
    .sort((left, right) => {
      if (sort === "updatedAt") return Number(left.position - right.position)
      const byTime = time(left.view.placedAt) - time(right.view.placedAt)
      const ascending = byTime === 0 ? (left.view.orderId < right.view.orderId ? -1 : 1) : byTime
      return sort === "placedAt" ? ascending : -ascending
    })
  return found.map(({ view }) => view)
}

const expected = (list: List) => Effect.map(foldedEntries, (entries) => select(entries, list))

const sorts: ReadonlyArray<OrderSort> = ["-placedAt", "placedAt", "updatedAt"]

export const orderQueriesContract = <E>(name: string, layer: Layer.Layer<EventStore | OrderQueries, E>): void => {
  describe(`OrderQueries on ${name}`, () => {
    withLayer(layer, { excludeTestServices: true })((it) => {
      it.effect("lists what matches, in order, complete and once, for every filter and sort", () =>
        Effect.gen(function* () {
          yield* appendSeen(yield* orderLives(40), 15)
          const entries = yield* foldedEntries
          const all = select(entries, { filter: {}, sort: "placedAt" })
          const [early, late] = [all[10]!.placedAt, all[30]!.placedAt]
          const filters = [...filtersBetween(early, late), { placedAfter: "0000-01-01T00:00:00+14:00" }]
          for (const filter of filters) {
            for (const sort of sorts) {
              const { orders } = yield* readAll({ filter, sort }, Effect.void)
              assert.deepStrictEqual(orders, select(entries, { filter, sort }), JSON.stringify({ filter, sort }))
            }
          }
        })
      )

      it.effect("lists an order that matches throughout exactly once by placedAt, whatever changes meanwhile", () =>
        Effect.gen(function* () {
          const entries = yield* orderLives(60)
          const half = Math.floor(entries.length / 2)
          yield* appendSeen(entries.slice(0, half), 10)
          const waiting = entries.slice(half)
          const something = Effect.suspend(() => appendSeen(waiting.splice(0, 5)))
          for (const sort of ["-placedAt", "placedAt"] as const) {
            for (const filter of [{}, { customerId: CustomerId.make("customer-3") }, { status: ["placed" as const] }]) {
              const before = ids(yield* expected({ filter, sort }))
              const { orders } = yield* readAll({ filter, sort }, something)
              const after = new Set(ids(yield* expected({ filter, sort })))
              const listed = ids(orders)
              assert.strictEqual(new Set(listed).size, listed.length)
              const throughout = before.filter((orderId) => after.has(orderId))
              assert.deepStrictEqual(
                listed.filter((orderId) => throughout.includes(orderId)),
                throughout
              )
            }
          }
        })
      )

      it.effect("misses no change when polled by updatedAt", () =>
        Effect.gen(function* () {
          const queries = yield* OrderQueries
          const waiting = yield* orderLives(40)
          const seen = new Map<string, number>()
          const draw = seeded(seed)
          let cursor: string | undefined
          while (true) {
            const page = yield* queries.list({
              filter: {},
              sort: "updatedAt",
              limit: 7,
              ...(cursor === undefined ? {} : { cursor })
            })
            for (const { orderId, version } of page.orders) {
              assert.isBelow(seen.get(orderId) ?? 0, version)
              seen.set(orderId, version)
            }
            cursor = page.next
            assert.isDefined(cursor)
            if (!page.hasMore && waiting.length === 0) break
            yield* appendSeen(waiting.splice(0, 1 + Math.floor(draw() * 5)))
          }
          const now = new Map((yield* expected({ filter: {}, sort: "updatedAt" })).map((o) => [o.orderId, o.version]))
          for (const [orderId, version] of now) assert.strictEqual(seen.get(orderId), version)
        })
      )

      it.effect("refuses a cursor of another query", () =>
        Effect.gen(function* () {
          const queries = yield* OrderQueries
          yield* appendSeen(yield* orderLives(5))
          const { next } = yield* queries.list({ filter: {}, sort: "placedAt", limit: 1 })
          const other = queries.list({ filter: { status: ["placed"] }, sort: "placedAt", limit: 1, cursor: next ?? "" })
          assert.instanceOf(yield* Effect.flip(other), InvalidCursor)
        })
      )

      it.effect("counts orders by status, of one customer or of all", () =>
        Effect.gen(function* () {
          const queries = yield* OrderQueries
          const head = yield* appendSeen(yield* orderLives(20))
          for (const filter of [
            {},
            { customerId: CustomerId.make("customer-1") },
            { customerId: CustomerId.make("nobody") }
          ]) {
            const counts: Record<string, number> = { ...noOrders }
            for (const { status } of yield* expected({ filter, sort: "placedAt" })) counts[status]!++
            const counted = yield* queries.counts(filter)
            assert.deepStrictEqual(counted.counts, { ...noOrders, ...counts })
            assert.containSubset(counted.freshness, { position: head, behind: 0, lag: 0, parked: 0 })
          }
        })
      )

      it.effect("gives one order, and how fresh the answer is", () =>
        Effect.gen(function* () {
          const queries = yield* OrderQueries
          const head = yield* appendSeen(yield* orderLives(3))
          const [order] = yield* expected({ filter: {}, sort: "-placedAt" })
          const { logId } = yield* (yield* EventStore).head
          const [{ eventId }] = (yield* (yield* EventStore).readAll({ after: head - 1n, limit: 1 })) as [RecordedEvent]
          const token = ConsistencyToken.format(logId, head, eventId)
          const freshness = { position: head, behind: 0, lag: 0, parked: 0, token }
          assert.deepStrictEqual(yield* queries.get(order!.orderId), { order: StoredOrder.ofView(order!), freshness })
          const unknown = OrderId.make("ord_00000000-0000-7000-8000-000000000000")
          assert.deepStrictEqual(yield* queries.get(unknown), { freshness })
          assert.strictEqual(yield* queries.position, head)
          assert.strictEqual((yield* (yield* EventStore).head).position, head)
        })
      )
    })
  })
}
