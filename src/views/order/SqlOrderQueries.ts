/** Answers order queries from `ordinal.order_view` with one statement each, on a connection of the reads pool. */
import { Effect, Layer } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import { Database } from "../../database/Database.ts"
import * as StreamId from "../../eventstore/StreamId.ts"
import type { OrderId } from "../../order/OrderId.ts"
import { OrderPolicies } from "../../order/OrderPolicies.ts"
import type { ConsistencyToken } from "../../projection/consistency/ConsistencyToken.ts"
import { ProjectionProgress } from "../../projection/consistency/ProjectionProgress.ts"
import * as SqlView from "../SqlView.ts"
import * as OrderListQuery from "./OrderListQuery.ts"
import { noOrders, type OrderCounts, OrderQueries } from "./OrderQueries.ts"
import * as OrderView from "./OrderView.ts"
import { OrderViewProjection } from "./OrderViewProjection.ts"
import * as Span from "../../telemetry/Span.ts"

interface FoundRow {
  readonly order: unknown
  readonly updatedAt: Date | null
  readonly parkedAt: bigint | null
}

export const selectOrder = (sql: SqlClient.SqlClient, orderId: string, token?: ConsistencyToken) =>
  SqlView.select<FoundRow>(
    sql,
    OrderViewProjection,
    sql`v.state AS "order", v.updated_at AS "updatedAt",
      CASE WHEN f.parked > 0 THEN (
        SELECT p."position" FROM ordinal.parked_streams p
        WHERE p.projection = ${OrderViewProjection.name} AND p.slot = 'live' AND p.parked
          AND p.stream_id = ${StreamId.make("order", orderId)}
      ) END AS "parkedAt"`,
    sql`LEFT JOIN ordinal.order_view v ON v.order_id = ${orderId}`,
    token
  )

export const selectCounts = (sql: SqlClient.SqlClient, customerId: string | undefined, token?: ConsistencyToken) =>
  SqlView.select<{ readonly counts: Partial<OrderCounts> }>(
    sql,
    OrderViewProjection,
    sql`coalesce(c.counts, '{}') AS counts`,
    sql`CROSS JOIN (
      SELECT json_object_agg(v.status, v.orders) AS counts
      FROM (
        SELECT status, count(*) AS orders FROM ordinal.order_view
        WHERE ${customerId === undefined ? sql`true` : sql`customer_id = ${customerId}`}
        GROUP BY status
      ) v
    ) c`,
    token
  )

interface ListedRow {
  readonly orderId: OrderId
  readonly order: unknown
  /** The times are in milliseconds since 1970. */
  readonly placedAt: number
  readonly updatedAt: number
  readonly position: string
}

const orderings = {
  "-placedAt": "v.placed_at DESC, v.order_id DESC",
  placedAt: "v.placed_at, v.order_id",
  updatedAt: `v."position"`
}

const distinct = (statuses: ReadonlyArray<string> | undefined) => statuses && [...new Set(statuses)]

/**
 * Makes the conditions of a list's branches, whose sorted rows the server merges. Each branch walks an index that has
 * the filtered column first and the sort key behind it, so a list of statuses is one branch per status. A customer's
 * orders are few, so statuses are picked out of them; and so are payment statuses out of what changed.
 */
const branches = (
  sql: SqlClient.SqlClient,
  { filter, sort }: OrderListQuery.OrderListQuery
): ReadonlyArray<Statement.Fragment> => {
  const [statuses, payments] = [distinct(filter.status), distinct(filter.paymentStatus)]
  const isStatus = statuses === undefined ? sql`true` : sql`v.status = ANY(${statuses}::text[])`
  const isPayment = payments === undefined ? sql`true` : sql`v.payment_status = ANY(${payments}::text[])`
  if (filter.customerId !== undefined) {
    return [sql`v.customer_id = ${filter.customerId} AND ${isStatus} AND ${isPayment}`]
  }
  if (statuses?.length === 0 || payments?.length === 0) return [sql`false`]
  if (statuses !== undefined) return statuses.map((status) => sql`v.status = ${status} AND ${isPayment}`)
  if (payments === undefined || sort === "updatedAt") return [isPayment]
  return payments.map((payment) => sql`v.payment_status = ${payment}`)
}

const following = (sql: SqlClient.SqlClient, { after, sort }: OrderListQuery.OrderListQuery): Statement.Fragment => {
  if (after === undefined) return sql`true`
  if (after._tag === "Updated") return sql`v."position" > ${after.position}`
  const key = sql`(${new Date(after.placedAt)}, ${after.orderId})`
  return sort === "placedAt" ? sql`(v.placed_at, v.order_id) > ${key}` : sql`(v.placed_at, v.order_id) < ${key}`
}

export const selectPage = (
  sql: SqlClient.SqlClient,
  query: OrderListQuery.OrderListQuery,
  token?: ConsistencyToken
) => {
  const { limit, placedAfter, placedBefore, sort } = query
  const ordering = sql.literal(orderings[sort])
  const always = sql.and([
    following(sql, query),
    ...(placedAfter === undefined ? [] : [sql`v.placed_at >= ${placedAfter}`]),
    ...(placedBefore === undefined ? [] : [sql`v.placed_at < ${placedBefore}`])
  ])
  const all = branches(sql, query).map(
    (branch) => sql`(SELECT v.order_id, v.placed_at, v.updated_at, v."position", v.state
      FROM ordinal.order_view v WHERE ${branch} AND ${always} ORDER BY ${ordering} LIMIT ${limit + 1})`
  )
  return SqlView.select<{ readonly entries: ReadonlyArray<ListedRow> }>(
    sql,
    OrderViewProjection,
    sql`coalesce(p.entries, '[]') AS entries`,
    sql`CROSS JOIN (
      SELECT json_agg(
        json_build_object(
          'orderId', v.order_id,
          'order', v.state,
          'placedAt', (extract(epoch FROM v.placed_at) * 1000)::bigint,
          'updatedAt', (extract(epoch FROM v.updated_at) * 1000)::bigint,
          'position', v."position"::text
        ) ORDER BY ${ordering}
      ) AS entries
      FROM (SELECT v.* FROM (${sql.join(" UNION ALL ", false)(all)}) v ORDER BY ${ordering} LIMIT ${limit + 1}) v
    ) p`,
    token
  )
}

const timeOf = (millis: number) => new Date(millis).toISOString()

/** Such a row was changed by hand, or a program was wrong: an audit shows how, and a repair puts it right. */
const unreadable = (orderId: string) =>
  `The row of order ${orderId} in ordinal.order_view can't be read; audit and repair its stream order-${orderId}.`

export const make = Effect.gen(function* () {
  const policies = yield* OrderPolicies
  const { reads: sql } = yield* Database
  const progress = yield* ProjectionProgress
  const { read } = SqlView.reader("the order view")

  return OrderQueries.of({
    get: Span.fn("OrderQueries.get")(function* (orderId, token) {
      const { freshness, row } = yield* read(selectOrder(sql, orderId, token), token)
      const { order, parkedAt, updatedAt } = row
      const view = updatedAt === null ? undefined : OrderView.fromRow(order, updatedAt.toISOString(), policies)
      if (updatedAt !== null && view === undefined) return yield* Effect.die(new Error(unreadable(orderId)))
      return {
        ...(view === undefined ? {} : { order: view }),
        freshness,
        ...(parkedAt === null ? {} : { parkedAt })
      }
    }),

    counts: Span.fn("OrderQueries.counts")(function* ({ customerId }, token) {
      const { freshness, row } = yield* read(selectCounts(sql, customerId, token), token)
      return { counts: { ...noOrders, ...row.counts }, freshness }
    }),

    list: Span.fn("OrderQueries.list")(function* (list, token) {
      const query = yield* Effect.fromResult(OrderListQuery.parse(list))
      const { freshness, row } = yield* read(selectPage(sql, query, token), token)
      const found = row.entries.map(({ order, orderId, placedAt, position, updatedAt }) => ({
        orderId,
        placedAt: timeOf(placedAt),
        position: BigInt(position),
        order: OrderView.fromRow(order, timeOf(updatedAt), policies)
      }))
      for (const { order, orderId } of found) if (order === undefined) yield* Effect.logError(unreadable(orderId))
      return OrderListQuery.page(query, found, freshness)
    }),

    awaitPosition: (position) => progress.awaitPosition(OrderViewProjection, position),
    position: progress.position(OrderViewProjection),
    isLive: Effect.map(progress.status(OrderViewProjection), (status) => status === undefined || status === "live")
  })
})

export const layer = Layer.effect(OrderQueries, make)
