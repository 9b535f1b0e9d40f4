/** The one statement of a list: a page of the view, and in the same snapshot how fresh it is. */
import type { SqlClient, Statement } from "effect/sql"
import type { OrderStatus, PaymentStatus } from "../../order/OrderStatus.ts"
import * as Checkpoint from "../../projection/Checkpoint.ts"
import type { OrderListQuery } from "./OrderListQuery.ts"
import { OrderViewProjection } from "./OrderViewProjection.ts"

/** What a statement answers: always one row, its entries in order. */
export interface ListRow extends Checkpoint.Lag {
  readonly entries: ReadonlyArray<EntryRow>
}

export interface EntryRow {
  readonly order: unknown
  /** Milliseconds since 1970. */
  readonly updatedAt: number
  readonly position: string
}

const orders = {
  "-placedAt": "v.placed_at DESC, v.order_id DESC",
  placedAt: "v.placed_at, v.order_id",
  updatedAt: `v."position"`
}

type Values = ReadonlyArray<OrderStatus> | ReadonlyArray<PaymentStatus>
const distinct = (values: Values) => [...new Set<string>(values)]

/**
 * The index to walk has the filtered column first and the sort key behind it, so a list of statuses is walked once per
 * status, and the server merges what is sorted already. A customer's orders are few: statuses are picked out of them; so
 * are payment statuses out of what changed.
 */
const branches = (sql: SqlClient.SqlClient, { filter, sort }: OrderListQuery): ReadonlyArray<Statement.Fragment> => {
  const status = filter.status === undefined ? undefined : distinct(filter.status)
  const payment = filter.paymentStatus === undefined ? undefined : distinct(filter.paymentStatus)
  const isStatus = status === undefined ? sql`true` : sql`v.status = ANY(${status}::text[])`
  const isPayment = payment === undefined ? sql`true` : sql`v.payment_status = ANY(${payment}::text[])`
  if (filter.customerId !== undefined) {
    return [sql`v.customer_id = ${filter.customerId} AND ${isStatus} AND ${isPayment}`]
  }
  if (status?.length === 0 || payment?.length === 0) return [sql`false`]
  if (status !== undefined) return status.map((one) => sql`v.status = ${one} AND ${isPayment}`)
  if (payment === undefined || sort === "updatedAt") return [isPayment]
  return payment.map((one) => sql`v.payment_status = ${one}`)
}

const following = (sql: SqlClient.SqlClient, { after, sort }: OrderListQuery): Statement.Fragment => {
  if (after === undefined) return sql`true`
  if (after._tag === "Updated") return sql`v."position" > ${after.position}`
  const { orderId, placedAt } = after
  return sort === "placedAt"
    ? sql`(v.placed_at, v.order_id) > (${new Date(placedAt)}, ${orderId})`
    : sql`(v.placed_at, v.order_id) < (${new Date(placedAt)}, ${orderId})`
}

export const make = (sql: SqlClient.SqlClient, query: OrderListQuery): Statement.Statement<ListRow> => {
  const { limit, placedAfter, placedBefore, sort } = query
  const order = sql.literal(orders[sort])
  const always = sql.and([
    following(sql, query),
    ...(placedAfter === undefined ? [] : [sql`v.placed_at >= ${placedAfter}`]),
    ...(placedBefore === undefined ? [] : [sql`v.placed_at < ${placedBefore}`])
  ])
  const all = branches(sql, query).map(
    (branch) => sql`(SELECT v.order_id, v.placed_at, v.updated_at, v."position", v.state
      FROM ordinal.order_view v WHERE ${branch} AND ${always} ORDER BY ${order} LIMIT ${limit + 1})`
  )
  return sql<ListRow>`
    SELECT f."position", f.behind, f.lag, f.parked, coalesce(p.entries, '[]') AS entries
    FROM (${Checkpoint.lag(sql, OrderViewProjection)}) f
    CROSS JOIN (
      SELECT json_agg(
        json_build_object(
          'order', v.state,
          'updatedAt', (extract(epoch FROM v.updated_at) * 1000)::bigint,
          'position', v."position"::text
        ) ORDER BY ${order}
      ) AS entries
      FROM (SELECT v.* FROM (${sql.join(" UNION ALL ", false)(all)}) v ORDER BY ${order} LIMIT ${limit + 1}) v
    ) p`
}
