/** Reads pages of orders from `ordinal.order_view`, each with one statement that walks indexes in the order of the list. */
import { Effect } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { tableName } from "../../database/SchemaName.ts"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import type { OrderId } from "../../order/OrderId.ts"
import type { OrderPolicies } from "../../order/OrderPolicies.ts"
import * as Checkpoint from "../../projection/Checkpoint.ts"
import type { ConsistencyToken } from "../../projection/consistency/ConsistencyToken.ts"
import * as SqlView from "../../projection/view/SqlView.ts"
import type { TokenError } from "../../projection/view/ViewQuery.ts"
import * as OrderListQuery from "./OrderListQuery.ts"
import type { OrderQueries } from "./OrderQueries.ts"
import { OrderViewProjection } from "./OrderViewProjection.ts"
import * as PollingPlace from "./PollingPlace.ts"
import * as StoredOrder from "./StoredOrder.ts"

/** An empty page has one row, which tells only how fresh it is. */
export interface ListedRow extends SqlView.Fresh, SqlView.TokenEvent, Partial<PollingPlace.Polled> {
  readonly orderId: OrderId | null
  readonly text: string | null
  readonly state: unknown
  readonly updatedAt: Date | null
  readonly version: number
  readonly placedAt: Date
  readonly at: bigint
  readonly bytes: number
  readonly fits: boolean
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
    (branch) => sql`(SELECT v.order_id, v.version, v.placed_at, v.updated_at, v."position", v.state, v.document,
        coalesce(v.bytes, octet_length(v.state::text)) AS bytes
      FROM ordinal.order_view v WHERE ${branch} AND ${always} ORDER BY ${ordering} LIMIT ${limit + 1})`
  )
  const place = OrderListQuery.placeOf(query)
  const polled = sort === "updatedAt" ? sql`${PollingPlace.columns(sql, OrderViewProjection, place)},` : sql``
  // Rows beyond the bytes of a page come without their text; they only show that the list goes on.
  return sql<ListedRow>`
    SELECT ${SqlView.freshColumns(sql, sql`coalesce(p.n, 1) = 1`)},
      ${SqlView.tokenEventId(sql, sql`${token?.position ?? null}::bigint`)}, ${polled}
      p.order_id AS "orderId", p.version, p.placed_at AS "placedAt", p."position" AS at, p.bytes, p.fits,
      CASE WHEN p.fits THEN p.document END AS text,
      CASE WHEN p.fits AND p.document IS NULL THEN p.state END AS state,
      CASE WHEN p.document IS NULL THEN p.updated_at END AS "updatedAt"
    FROM (${Checkpoint.lag(sql, OrderViewProjection)}) f
    LEFT JOIN (
      SELECT v.*, row_number() OVER page AS n, row_number() OVER page = 1
          OR (row_number() OVER page <= ${limit} AND sum(v.bytes) OVER page <= ${OrderListQuery.maxPageBytes}) AS fits
      FROM (SELECT v.* FROM (${sql.join(" UNION ALL ", false)(all)}) v ORDER BY ${ordering} LIMIT ${limit + 1}) v
      WINDOW page AS (ORDER BY ${ordering} ROWS UNBOUNDED PRECEDING)
    ) p ON true
    ORDER BY p.n`
}

/** Such a row was changed by hand, or a program was wrong: an audit shows how, and a repair puts it right. */
export const unreadable = (sql: SqlClient.SqlClient, orderId: string) =>
  `The row of order ${orderId} in ${tableName(sql, "ordinal.order_view")} can't be read; audit and repair its stream order-${orderId}.`

export interface Asked {
  readonly list: Parameters<OrderQueries["Service"]["list"]>[0]
  readonly token: ConsistencyToken | undefined
}

/** Whoever asks for the same page has the same key. */
export const keyOf = ({ list, token }: Asked): string =>
  JSON.stringify([list, token && [String(token.position), token.check]])

/** Reads rows with the freshness in the first of them, as `SqlView.reader` does. */
type ReadAll = <Row extends SqlView.Fresh>(
  statement: Effect.Effect<ReadonlyArray<Row>, SqlError>
) => Effect.Effect<SqlView.Answer<Row>, TokenError | DatabaseUnavailable>

/** Reads pages by a statement, or what stands for one; a row that can't be read is said to be `unreadable`. */
export const reader = (
  select: (
    query: OrderListQuery.OrderListQuery,
    token?: ConsistencyToken
  ) => Effect.Effect<ReadonlyArray<ListedRow>, SqlError>,
  readAll: ReadAll,
  policies: OrderPolicies,
  unreadable: (orderId: string) => string
) => {
  /** Reads the rows of a page, from an earlier place if orders have come back before the one that was asked for. */
  const listed = Effect.fnUntraced(function* (query: OrderListQuery.OrderListQuery, token: Asked["token"]) {
    for (let asked = query; ;) {
      const { freshness, rows, verify } = yield* readAll(select(asked, token))
      const [first, place] = [rows[0]!, OrderListQuery.placeOf(asked)]
      yield* verify(token, first.tokenEventId)
      if (asked.sort === "updatedAt") yield* PollingPlace.check(place, first)
      const parked = first.parkedStreams ?? undefined
      const after = place && PollingPlace.earlier(place, parked)
      if (after === undefined) return { asked, freshness, parked, rows }
      asked = { ...asked, after }
    }
  })

  return Effect.fnUntraced(function* ({ list, token }: Asked) {
    const query = yield* Effect.fromResult(OrderListQuery.parse(list))
    const { asked, freshness, parked, rows } = yield* listed(query, token)
    const found: Array<OrderListQuery.Found> = []
    for (const { at: position, bytes, fits, orderId, placedAt, state, text, updatedAt, version } of rows) {
      if (orderId === null) continue
      const order = fits ? StoredOrder.fromRow({ orderId, version, text, state, updatedAt }, policies) : undefined
      if (fits && order === undefined) yield* Effect.logError(unreadable(orderId))
      found.push({ orderId, placedAt: placedAt.toISOString(), position, bytes, order })
    }
    return OrderListQuery.page(asked, found, freshness, parked)
  })
}
