/** Answers order queries from `ordinal.order_view` with one statement each, on a connection of the reads pool. */
import { Effect, Layer } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import * as BatchedReads from "../../database/BatchedReads.ts"
import { Database } from "../../database/Database.ts"
import * as OpenTransaction from "../../database/OpenTransaction.ts"
import { tableName } from "../../database/SchemaName.ts"
import type { OrderId } from "../../order/OrderId.ts"
import { OrderPolicies } from "../../order/OrderPolicies.ts"
import * as Checkpoint from "../../projection/Checkpoint.ts"
import type { ConsistencyToken } from "../../projection/consistency/ConsistencyToken.ts"
import { ProjectionProgress } from "../../projection/consistency/ProjectionProgress.ts"
import * as SqlView from "../SqlView.ts"
import * as OrderCounters from "./OrderCounters.ts"
import * as OrderListQuery from "./OrderListQuery.ts"
import { noOrders, type OrderCounts, OrderQueries } from "./OrderQueries.ts"
import { OrderViewProjection } from "./OrderViewProjection.ts"
import * as Span from "../../telemetry/Span.ts"
import * as StoredOrder from "./StoredOrder.ts"

export interface Asked {
  readonly orderId: string
  readonly token: ConsistencyToken | undefined
}

interface AskedPage {
  readonly list: Parameters<OrderQueries["Service"]["list"]>[0]
  readonly token: ConsistencyToken | undefined
}

interface FoundRow extends SqlView.Fresh {
  readonly version: number | null
  readonly text: string | null
  readonly state: unknown
  readonly updatedAt: Date | null
  readonly parkedAt: bigint | null
  readonly tokenEventId: string | null
  /** False if the orders before it fill the statement's answer; it has to be asked for again. */
  readonly fits: boolean
}

/** At most so many orders are read by one statement, and so many bytes of them, or a single one that is larger. */
const maxBatch = 100
const maxBatchBytes = 4 * 1024 * 1024

/** So many statements that read orders by their ids are under way at a time, if the others are slow. */
const lanes = 2

/** Stands for no token: no event is at this position. */
const noPosition = -1n

/** Finds orders by their ids: one row for each that is asked for, in this order. */
export const selectOrders = (sql: SqlClient.SqlClient, asked: ReadonlyArray<Asked>) =>
  sql<FoundRow>`
    SELECT ${SqlView.freshColumns(sql, sql`a.n = 1`)}, ${SqlView.tokenEventId(sql, sql`nullif(a.token, ${noPosition})`)},
      a.version, a.fits, CASE WHEN a.fits THEN a.document END AS text,
      CASE WHEN a.fits AND a.document IS NULL THEN a.state END AS state,
      CASE WHEN a.document IS NULL THEN a.updated_at END AS "updatedAt",
      CASE WHEN f.parked > 0 THEN (
        SELECT p."position" FROM ordinal.parked_streams p
        WHERE p.projection = ${OrderViewProjection.name} AND p.slot = 'live' AND p.parked
          AND p.stream_id = 'order-' || a.order_id
      ) END AS "parkedAt"
    FROM (${Checkpoint.lag(sql, OrderViewProjection)}) f
    CROSS JOIN (
      SELECT a.order_id, a.token, a.n, v.version, v.document, v.state, v.updated_at,
        a.n = 1 OR coalesce(sum(coalesce(v.bytes, octet_length(v.state::text))) OVER (ORDER BY a.n), 0)
          <= ${maxBatchBytes} AS fits
      FROM unnest(
        ${asked.map(({ orderId }) => orderId)}::text[],
        ${asked.map(({ token }) => token?.position ?? noPosition)}::bigint[]
      ) WITH ORDINALITY AS a (order_id, token, n)
      LEFT JOIN ordinal.order_view v ON v.order_id = a.order_id COLLATE "C"
    ) a
    ORDER BY a.n`

/** All orders are counted already, if the table has counters; those of one customer, which are few, are counted in an index. */
export const selectCounts = (sql: SqlClient.SqlClient, customerId: string | undefined, token?: ConsistencyToken) => {
  const counters = customerId === undefined ? sql`(${OrderCounters.kept(sql)}),` : sql``
  const rows = sql`(
      SELECT json_object_agg(v.status, v.orders) FROM (
        SELECT status, count(*) AS orders FROM ordinal.order_view
        WHERE ${customerId === undefined ? sql`true` : sql`customer_id = ${customerId}`}
        GROUP BY status
      ) v
    )`
  return SqlView.select<{ readonly counts: Partial<OrderCounts> }>(
    sql,
    OrderViewProjection,
    sql`coalesce(${counters} ${rows}, '{}') AS counts`,
    sql``,
    token
  )
}

/** An empty page has one row, which tells only how fresh it is. */
interface ListedRow extends Omit<FoundRow, "parkedAt" | "version"> {
  readonly orderId: OrderId | null
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
  // Rows beyond the bytes of a page come without their text; they only show that the list goes on.
  return sql<ListedRow>`
    SELECT ${SqlView.freshColumns(sql, sql`coalesce(p.n, 1) = 1`)},
      ${SqlView.tokenEventId(sql, sql`${token?.position ?? noPosition}::bigint`)},
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
const unreadable = (sql: SqlClient.SqlClient, orderId: string) =>
  `The row of order ${orderId} in ${tableName(sql, "ordinal.order_view")} can't be read; audit and repair its stream order-${orderId}.`

export const make = Effect.gen(function* () {
  const policies = yield* OrderPolicies
  const { reads: sql } = yield* Database
  const progress = yield* ProjectionProgress
  const { read, readAll } = SqlView.reader(sql, "the order view", OrderViewProjection, progress)

  const findAll = (asked: ReadonlyArray<Asked>) =>
    Effect.map(readAll(selectOrders(sql, asked)), ({ freshness, rows, verify }) =>
      rows.map((row) => ({ freshness, row, verify }))
    )
  const findTogether = yield* BatchedReads.make(findAll, { most: maxBatch, lanes })
  const findFitting = (asked: Asked): ReturnType<typeof findTogether> =>
    Effect.flatMap(findTogether(asked), (found) => (found.row.fits ? Effect.succeed(found) : findFitting(asked)))
  /** Inside a transaction of the caller's the statement is a part of it, as every query is; on PGlite no other could run. */
  const find = (asked: Asked) =>
    Effect.flatMap(OpenTransaction.isOf(sql), (isInside) =>
      isInside ? Effect.map(findAll([asked]), ([found]) => found!) : findFitting(asked)
    )

  const findPage = Effect.fnUntraced(function* ({ list, token }: AskedPage) {
    const query = yield* Effect.fromResult(OrderListQuery.parse(list))
    const { freshness, rows, verify } = yield* readAll(selectPage(sql, query, token))
    yield* verify(token, rows[0]!.tokenEventId)
    const found: Array<OrderListQuery.Found> = []
    for (const { at: position, bytes, fits, orderId, placedAt, state, text, updatedAt, version } of rows) {
      if (orderId === null) continue
      const order = fits ? StoredOrder.fromRow({ orderId, version, text, state, updatedAt }, policies) : undefined
      if (fits && order === undefined) yield* Effect.logError(unreadable(sql, orderId))
      found.push({ orderId, placedAt: placedAt.toISOString(), position, bytes, order })
    }
    return OrderListQuery.page(query, found, freshness)
  })
  /** Whoever asks for the same page meanwhile gets that of the next statement, for all of them. */
  const findPageTogether = yield* BatchedReads.make(
    (asked: ReadonlyArray<AskedPage>) => Effect.map(findPage(asked[0]!), (page) => asked.map(() => page)),
    { keyOf: ({ list, token }) => JSON.stringify([list, token && [String(token.position), token.check]]), lanes }
  )

  return OrderQueries.of({
    get: Span.fn("OrderQueries.get")(function* (orderId, token) {
      const { freshness, row, verify } = yield* find({ orderId, token })
      yield* verify(token, row.tokenEventId)
      const { parkedAt, version } = row
      const told = { freshness, ...(parkedAt === null ? {} : { parkedAt }) }
      if (version === null) return told
      const { state, text, updatedAt } = row
      const order = StoredOrder.fromRow({ orderId, version, text, state, updatedAt }, policies)
      return order === undefined ? yield* Effect.die(new Error(unreadable(sql, orderId))) : { order, ...told }
    }),

    counts: Span.fn("OrderQueries.counts")(function* ({ customerId }, token) {
      const { freshness, row } = yield* read(selectCounts(sql, customerId, token), token)
      return { counts: { ...noOrders, ...row.counts }, freshness }
    }),

    list: (list, token) =>
      Span.within("OrderQueries.list")(
        Effect.flatMap(OpenTransaction.isOf(sql), (isInside) =>
          (isInside ? findPage : findPageTogether)({ list, token })
        )
      ),

    awaitPosition: (position) => progress.awaitPosition(OrderViewProjection, position),
    position: progress.position(OrderViewProjection),
    isLive: Effect.map(progress.status(OrderViewProjection), (status) => status === undefined || status === "live")
  })
})

export const layer = Layer.effect(OrderQueries, make)
