/**
 * Answers the queries of `Orders` in this process: the present of an order from the order view, as fresh as asked, and
 * its past straight from the log. An order that the view does not have yet is read from the log as well.
 */
import { Effect } from "effect"
import * as PublishedEvent from "../aggregate/PublishedEvent.ts"
import { EventStore } from "../eventstore/EventStore.ts"
import { OrderPolicies } from "../order/OrderPolicies.ts"
import { OrderNotFound } from "../order/OrderRejection.ts"
import * as ConsistencyToken from "../projection/consistency/ConsistencyToken.ts"
import * as TokenWait from "../projection/consistency/TokenWait.ts"
import * as OrderAnswer from "../views/order/OrderAnswer.ts"
import { OrderQueries } from "../views/order/OrderQueries.ts"
import * as OrderView from "../views/order/OrderView.ts"
import * as StoredOrder from "../views/order/StoredOrder.ts"
import * as OrderFold from "./OrderFold.ts"
import type { Orders } from "./Orders.ts"
import { VersionNotFound } from "./OrdersError.ts"
import {
  clampHistoryLimit,
  clampListLimit,
  clampVersion,
  isVersion,
  type QueryOptions,
  type TokenOption
} from "./QueryOptions.ts"
import * as Span from "../telemetry/Span.ts"

type Reads = Pick<Orders["Service"], "get" | "list" | "counts" | "history" | "at">

export const make = Effect.gen(function* () {
  const queries = yield* OrderQueries
  const log = yield* EventStore
  const policies = yield* OrderPolicies
  const folds = yield* OrderFold.make
  const { logId } = yield* log.head

  const reach = TokenWait.awaitIn(log, logId, queries)
  /**
   * Waits until the order view has applied the log up to the token's position, and gives that position; gives
   * `undefined` at once if there is no token.
   */
  const freshEnough = ({ token, wait }: QueryOptions = {}) =>
    token === undefined ? Effect.succeed(undefined) : reach(token, wait)

  /** Refuses a token that this log did not issue; what is read from the log itself is behind of no other one. */
  const known = Effect.fnUntraced(function* ({ token }: TokenOption = {}) {
    if (token === undefined) return
    yield* ConsistencyToken.verify(log, logId, yield* Effect.fromResult(ConsistencyToken.parse(token)))
  })

  const get: Reads["get"] = Span.fn("Orders.get")(function* (orderId, options) {
    const required = yield* freshEnough(options)
    const { freshness, isCached, order, parkedAt } = yield* queries.get(orderId, required)
    if (parkedAt !== undefined && (order === undefined || (required?.position ?? 0n) >= parkedAt)) {
      return yield* ConsistencyToken.ProjectionBehind.parked(required?.position ?? parkedAt, parkedAt)
    }
    if (order !== undefined && !folds.isAhead(orderId, order.version, freshness, isCached)) {
      return OrderAnswer.one(order, { freshness, token: freshness.token })
    }
    const entry = yield* folds.newest(orderId)
    if (entry === undefined) return yield* new OrderNotFound({ orderId })
    const token =
      entry.position > freshness.position
        ? ConsistencyToken.format(logId, entry.position, entry.eventId)
        : freshness.token
    return OrderAnswer.one(StoredOrder.fromState(entry.order, entry.updatedAt, policies), { freshness, token })
  })

  const list: Reads["list"] = Span.fn("Orders.list")(function* (request = {}, options) {
    const required = yield* freshEnough(options)
    const { cursor, filter = {}, limit, sort = "-placedAt" } = request
    const { orders, ...page } = yield* queries.list(
      { filter, sort, limit: clampListLimit(limit), ...(cursor === undefined ? {} : { cursor }) },
      required
    )
    return OrderAnswer.page(orders, { ...page, token: page.freshness.token })
  })

  const counts: Reads["counts"] = Span.fn("Orders.counts")(function* (filter = {}, options) {
    const counted = yield* queries.counts(filter, yield* freshEnough(options))
    return { ...counted, token: counted.freshness.token }
  })

  const history: Reads["history"] = Span.fn("Orders.history")(function* (orderId, options = {}) {
    const [after, limit] = [clampVersion(options.after), clampHistoryLimit(options.limit)]
    yield* known(options)
    const stream = OrderFold.streamOf(orderId)
    const found: Array<PublishedEvent.PublishedEvent> = []
    // A page of large events is shorter, but a history ends before `limit` only where the order does.
    for (let hasMore = true; hasMore && found.length < limit;) {
      const page = yield* log.readStream(stream, { after: after + found.length, limit: limit - found.length })
      found.push(...page.events.map(PublishedEvent.fromRecorded))
      hasMore = page.hasMore
    }
    if (found.length === 0 && (after === 0 || (yield* log.currentVersion(stream)) === 0)) {
      return yield* new OrderNotFound({ orderId })
    }
    return found
  })

  const at: Reads["at"] = Span.fn("Orders.at")(function* (orderId, version, options) {
    yield* known(options)
    const entry = yield* folds.at(orderId, isVersion(version) ? version : 1)
    if (entry === undefined) return yield* new OrderNotFound({ orderId })
    if (entry.order.version !== version) return yield* VersionNotFound.of(orderId, version)
    return OrderView.fromState(entry.order, entry.updatedAt, policies)
  })

  const reads: Reads = { get, list, counts, history, at }
  return reads
})
