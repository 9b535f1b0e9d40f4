/** The queries of `Orders` in this process: from the order view, as fresh as asked, and from the log. */
import { Effect } from "effect"
import { EventStore } from "../eventstore/EventStore.ts"
import * as PublishedEvent from "../aggregate/PublishedEvent.ts"
import { OrderPolicies } from "../order/OrderPolicies.ts"
import { OrderNotFound } from "../order/OrderRejection.ts"
import type { Orders } from "./Orders.ts"
import type { QueryOptions } from "./Answer.ts"
import * as ConsistencyToken from "../projection/consistency/ConsistencyToken.ts"
import { ProjectionBehind } from "../projection/consistency/ProjectionBehind.ts"
import * as TokenWait from "../projection/consistency/TokenWait.ts"
import * as OrderHistory from "./OrderHistory.ts"
import { OrderQueries } from "../views/order/OrderQueries.ts"
import * as OrderView from "../views/order/OrderView.ts"
import { VersionNotFound } from "./VersionNotFound.ts"
import * as WholeNumber from "./WholeNumber.ts"

type Service = Pick<Orders["Service"], "get" | "list" | "counts" | "history" | "at">

export const make = Effect.gen(function* () {
  const queries = yield* OrderQueries
  const log = yield* EventStore
  const policies = yield* OrderPolicies
  const { logId } = yield* log.head

  const tokenAt = (position: bigint) => ConsistencyToken.format({ position, logId })

  const reach = TokenWait.make(log, logId, queries)
  /** Waits until the view holds what the token stands for; the token's position. */
  const freshEnough = ({ token, wait }: QueryOptions = {}) =>
    token === undefined ? Effect.succeed(undefined) : reach(token, wait)

  const get: Service["get"] = Effect.fn("Orders.get")(function* (orderId, options) {
    const required = yield* freshEnough(options)
    const { freshness, order, parkedAt } = yield* queries.get(orderId)
    if (parkedAt !== undefined && (order === undefined || (required ?? 0n) >= parkedAt)) {
      return yield* ProjectionBehind.parked(required ?? parkedAt, parkedAt)
    }
    if (order === undefined) return yield* new OrderNotFound({ orderId })
    return { order, freshness, token: tokenAt(freshness.position) }
  })

  const list: Service["list"] = Effect.fn("Orders.list")(function* (query = {}, options) {
    yield* freshEnough(options)
    const page = yield* queries.list({
      filter: query.filter ?? {},
      sort: query.sort ?? "-placedAt",
      limit: WholeNumber.listLimit(query.limit),
      ...(query.cursor === undefined ? {} : { cursor: query.cursor })
    })
    return { ...page, token: tokenAt(page.freshness.position) }
  })

  const counts: Service["counts"] = Effect.fn("Orders.counts")(function* (filter = {}, options) {
    yield* freshEnough(options)
    const counted = yield* queries.counts(filter)
    return { ...counted, token: tokenAt(counted.freshness.position) }
  })

  const history: Service["history"] = Effect.fn("Orders.history")(function* (orderId, options = {}) {
    const part = { after: WholeNumber.version(options.after), limit: WholeNumber.historyLimit(options.limit) }
    const page = yield* OrderHistory.events(log, orderId, part)
    if (page === undefined) return yield* new OrderNotFound({ orderId })
    return page.map(PublishedEvent.fromRecorded)
  })

  const at: Service["at"] = Effect.fn("Orders.at")(function* (orderId, version) {
    const entry = yield* OrderHistory.entryAt(log, orderId, WholeNumber.isVersion(version) ? version : 1)
    if (entry === undefined) return yield* new OrderNotFound({ orderId })
    if (entry.order.version !== version) return yield* new VersionNotFound({ orderId, version })
    return OrderView.fromState(entry.order, entry.updatedAt, policies)
  })

  const service: Service = { get, list, counts, history, at }
  return service
})
