/** Answers order queries from `ordinal.order_view` with one statement each, on a connection of the reads pool. */
import { Effect, Layer } from "effect"
import type { SqlClient } from "effect/sql"
import * as BatchedReads from "../../database/BatchedReads.ts"
import { Database } from "../../database/Database.ts"
import * as OpenTransaction from "../../database/OpenTransaction.ts"
import { OrderPolicies } from "../../order/OrderPolicies.ts"
import * as Checkpoint from "../../projection/Checkpoint.ts"
import type { ConsistencyToken } from "../../projection/consistency/ConsistencyToken.ts"
import { ProjectionProgress } from "../../projection/consistency/ProjectionProgress.ts"
import * as SqlView from "../../projection/view/SqlView.ts"
import type * as OutageLog from "../../supervision/OutageLog.ts"
import * as OrderCounters from "./OrderCounters.ts"
import { noOrders, type OrderCounts, OrderQueries } from "./OrderQueries.ts"
import { OrderViewProjection } from "./OrderViewProjection.ts"
import * as SqlOrderPages from "./SqlOrderPages.ts"
import * as Span from "../../telemetry/Span.ts"
import * as StoredOrder from "./StoredOrder.ts"

export interface Asked {
  readonly orderId: string
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

/** `outage` says in the log when the view can't be read, unless it is left out: then this does. */
export const make = Effect.fnUntraced(function* (outage?: OutageLog.OutageLog) {
  const policies = yield* OrderPolicies
  const { reads: sql } = yield* Database
  const progress = yield* ProjectionProgress
  const { read, readAll } = SqlView.reader(sql, "the order view", OrderViewProjection, progress, outage)

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

  const findPage = SqlOrderPages.reader(
    (query, token) => SqlOrderPages.selectPage(sql, query, token),
    readAll,
    policies,
    (orderId) => SqlOrderPages.unreadable(sql, orderId)
  )
  /** Whoever asks for the same page meanwhile gets that of the next statement, for all of them. */
  const findPageTogether = yield* BatchedReads.make(
    (asked: ReadonlyArray<SqlOrderPages.Asked>) => Effect.map(findPage(asked[0]!), (page) => asked.map(() => page)),
    { keyOf: SqlOrderPages.keyOf, lanes }
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
      return order === undefined
        ? yield* Effect.die(new Error(SqlOrderPages.unreadable(sql, orderId)))
        : { order, ...told }
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

export const layer = Layer.effect(OrderQueries, make())
