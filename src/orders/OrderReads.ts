/**
 * Answers the queries of `Orders` in this process: the present of an order from the order view, as fresh as asked, and
 * its past straight from the log.
 */
import { Effect } from "effect"
import * as PublishedEvent from "../aggregate/PublishedEvent.ts"
import { EventStore } from "../eventstore/EventStore.ts"
import * as StreamId from "../eventstore/StreamId.ts"
import { OrderAggregate } from "../order/OrderAggregate.ts"
import type { OrderId } from "../order/OrderId.ts"
import { OrderPolicies } from "../order/OrderPolicies.ts"
import { OrderNotFound } from "../order/OrderRejection.ts"
import * as ConsistencyToken from "../projection/consistency/ConsistencyToken.ts"
import * as OrderEntry from "../views/order/OrderEntry.ts"
import { OrderQueries } from "../views/order/OrderQueries.ts"
import * as OrderView from "../views/order/OrderView.ts"
import type { Orders } from "./Orders.ts"
import { VersionNotFound } from "./OrdersError.ts"
import { clampHistoryLimit, clampListLimit, clampVersion, isVersion, type QueryOptions } from "./QueryOptions.ts"

type Reads = Pick<Orders["Service"], "get" | "list" | "counts" | "history" | "at">

/** Events are folded in pages of so many. */
const pageSize = 500

export const make = Effect.gen(function* () {
  const queries = yield* OrderQueries
  const log = yield* EventStore
  const policies = yield* OrderPolicies
  const { logId } = yield* log.head

  const tokenAt = (position: bigint) => ConsistencyToken.format({ position, logId })
  const streamOf = (orderId: OrderId) => StreamId.make(OrderAggregate.category, orderId)

  const reach = ConsistencyToken.awaitIn(log, logId, queries)
  /**
   * Waits until the order view has applied the log up to the token's position, and gives that position; gives
   * `undefined` at once if there is no token.
   */
  const freshEnough = ({ token, wait }: QueryOptions = {}) =>
    token === undefined ? Effect.succeed(undefined) : reach(token, wait)

  /** Folds the order's first `version` events, or all if there are fewer; undefined if there is no such order. */
  const entryAt = Effect.fnUntraced(function* (orderId: OrderId, version: number) {
    let entry: OrderEntry.OrderEntry | undefined
    let read = 0
    while (read < version) {
      const limit = Math.min(pageSize, version - read)
      const page = yield* log.readStream(streamOf(orderId), { after: read, limit })
      for (const event of page) entry = OrderEntry.evolve(entry, event)
      read += page.length
      if (page.length < limit) break
    }
    return entry
  })

  const get: Reads["get"] = Effect.fn("Orders.get")(function* (orderId, options) {
    const required = yield* freshEnough(options)
    const { freshness, order, parkedAt } = yield* queries.get(orderId)
    if (parkedAt !== undefined && (order === undefined || (required ?? 0n) >= parkedAt)) {
      return yield* ConsistencyToken.ProjectionBehind.parked(required ?? parkedAt, parkedAt)
    }
    if (order === undefined) return yield* new OrderNotFound({ orderId })
    return { order, freshness, token: tokenAt(freshness.position) }
  })

  const list: Reads["list"] = Effect.fn("Orders.list")(function* (request = {}, options) {
    yield* freshEnough(options)
    const { cursor, filter = {}, limit, sort = "-placedAt" } = request
    const page = yield* queries.list({
      filter,
      sort,
      limit: clampListLimit(limit),
      ...(cursor === undefined ? {} : { cursor })
    })
    return { ...page, token: tokenAt(page.freshness.position) }
  })

  const counts: Reads["counts"] = Effect.fn("Orders.counts")(function* (filter = {}, options) {
    yield* freshEnough(options)
    const counted = yield* queries.counts(filter)
    return { ...counted, token: tokenAt(counted.freshness.position) }
  })

  const history: Reads["history"] = Effect.fn("Orders.history")(function* (orderId, options = {}) {
    const [after, limit] = [clampVersion(options.after), clampHistoryLimit(options.limit)]
    const page = yield* log.readStream(streamOf(orderId), { after, limit })
    if (page.length === 0 && (after === 0 || (yield* log.currentVersion(streamOf(orderId))) === 0)) {
      return yield* new OrderNotFound({ orderId })
    }
    return page.map(PublishedEvent.fromRecorded)
  })

  const at: Reads["at"] = Effect.fn("Orders.at")(function* (orderId, version) {
    const entry = yield* entryAt(orderId, isVersion(version) ? version : 1)
    if (entry === undefined) return yield* new OrderNotFound({ orderId })
    if (entry.order.version !== version) return yield* new VersionNotFound({ orderId, version })
    return OrderView.fromState(entry.order, entry.updatedAt, policies)
  })

  const reads: Reads = { get, list, counts, history, at }
  return reads
})
