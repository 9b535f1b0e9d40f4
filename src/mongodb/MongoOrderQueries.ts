/**
 * Answers order queries from MongoDB. How fresh an answer is, which streams are parked and whether a token is of this log is
 * read from the database of the log first, and the documents after it, which are thus as new as the checkpoint says or
 * newer. They count only if the note of their collection, read before them or with them, confirms it: not so after a copy
 * of MongoDB was restored, or while a server answers that has lost an election.
 */
import { Effect, Layer } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import * as BatchedReads from "../database/BatchedReads.ts"
import { Database } from "../database/Database.ts"
import * as OpenTransaction from "../database/OpenTransaction.ts"
import type { OrderId } from "../order/OrderId.ts"
import { OrderPolicies } from "../order/OrderPolicies.ts"
import type { ConsistencyToken } from "../projection/consistency/ConsistencyToken.ts"
import * as Checkpoint from "../projection/Checkpoint.ts"
import { ProjectionProgress } from "../projection/consistency/ProjectionProgress.ts"
import * as SqlView from "../projection/view/SqlView.ts"
import * as Span from "../telemetry/Span.ts"
import { noOrders, type OrderCounts, OrderQueries } from "../views/order/OrderQueries.ts"
import * as PollingPlace from "../views/order/PollingPlace.ts"
import * as OrderListQuery from "../views/order/OrderListQuery.ts"
import * as SqlOrderPages from "../views/order/SqlOrderPages.ts"
import * as StoredOrder from "../views/order/StoredOrder.ts"
import { askAgain, away, type MongoDb } from "./MongoDb.ts"
import { isOfHistory, type Note, type OrderCollections } from "./OrderCollections.ts"
import { jsonOf, noteId, type OrderDocument } from "./OrderDocument.ts"
import { key } from "./MongoOrderProjection.ts"
import { listOf, orderCounts } from "./OrderLists.ts"

interface Asked {
  readonly orderId: string
  readonly token: ConsistencyToken | undefined
}

interface AskedRow extends SqlView.Fresh, SqlView.TokenEvent {
  readonly parkedAt: bigint | null
}

/** At most so many orders are read together. */
const maxBatch = 40
const lanes = 2

/** Stands for no token: no event is at this position. */
const noPosition = -1n

/** One row for each order that is asked for: what the database of the log knows of it. */
const selectAsked = (sql: SqlClient.SqlClient, asked: ReadonlyArray<Asked>) =>
  sql<AskedRow>`
    SELECT ${SqlView.freshColumns(sql, sql`a.n = 1`)}, ${SqlView.tokenEventId(sql, sql`nullif(a.token, ${noPosition})`)},
      CASE WHEN f.parked > 0 THEN (
        SELECT p."position" FROM ordinal.parked_streams p
        WHERE p.projection = ${key.name} AND p.slot = 'live' AND p.parked AND p.stream_id = 'order-' || a.order_id
      ) END AS "parkedAt"
    FROM (${Checkpoint.lag(sql, key)}) f
    CROSS JOIN unnest(
      ${asked.map(({ orderId }) => orderId)}::text[],
      ${asked.map(({ token }) => token?.position ?? noPosition)}::bigint[]
    ) WITH ORDINALITY AS a (order_id, token, n)
    ORDER BY a.n`

type Kept = Omit<OrderDocument, "state">

/** Only the next event needs the state. */
const projection = { state: 0 } as const

const storedRow = ({ _id: orderId, document: text, olderState, updatedAt, version }: Kept): StoredOrder.Row => ({
  orderId,
  version,
  text,
  state: olderState === null ? null : jsonOf(olderState),
  updatedAt
})

/** Makes the rows of a page; an empty one has one row, which tells only how fresh it is. */
const listedRows = <Fresh extends object>(
  { limit }: OrderListQuery.OrderListQuery,
  fresh: Fresh,
  found: ReadonlyArray<Kept>
) => {
  let sum = 0
  const none = { orderId: null, version: 0, placedAt: new Date(0), at: 0n, bytes: 0, fits: false } as const
  if (found.length === 0) return [{ ...fresh, ...none, text: null, state: null, updatedAt: null }]
  return found.map((kept, index) => {
    const { bytes, placedAt, position: at } = kept
    sum += bytes
    const fits = index === 0 || (index < limit && sum <= OrderListQuery.maxPageBytes)
    const row = storedRow(kept)
    return {
      ...fresh,
      ...row,
      orderId: row.orderId as OrderId,
      placedAt,
      at,
      bytes,
      fits,
      text: fits ? row.text : null
    }
  })
}

const unreadable = (orderId: string) =>
  `The document of order ${orderId} in MongoDB can't be read; audit and repair its stream order-${orderId}.`

export const make = (mongo: MongoDb, { notesOf, rowsOf }: OrderCollections) =>
  Effect.gen(function* () {
    const policies = yield* OrderPolicies
    const { reads: sql } = yield* Database
    const progress = yield* ProjectionProgress
    const { read, readAll } = SqlView.reader(sql, "the order view in MongoDB", key, progress)
    const [rows, notes] = [rowsOf("live"), notesOf("live")]

    /** Fails unless documents that are read from now on have everything up to the checkpoint. */
    const confirm = Effect.fnUntraced(function* (
      note: Note | null | undefined,
      fresh: SqlView.Fresh
    ): Effect.fn.Return<void, SqlError.SqlError> {
      const { eventId, logId, position } = fresh
      const isOfLog = note != null && note.logId === logId
      if (isOfLog && (position === 0n || eventId === null)) return
      const isThere = isOfLog && note.reached >= position
      if (isThere && note.reached === position && note.eventId === eventId) return
      // A batch moves the note before the checkpoint.
      if (isThere && note.reached > position && (yield* isOfHistory(sql, note))) return
      const has = note == null ? "none of the view" : `the view up to position ${note.reached} of log ${note.logId}`
      return yield* Effect.fail(away(new Error(`MongoDB has ${has}, and not what the checkpoint says (${position}).`)))
    })

    const findAll = Effect.fnUntraced(function* (asked: ReadonlyArray<Asked>) {
      const known = yield* selectAsked(sql, asked)
      const ids = [noteId, ...new Set(asked.map(({ orderId }) => orderId))]
      // In the order of their ids, of which that of the note is the first.
      const found = yield* askAgain(() => rows.find({ _id: { $in: ids } }, { projection, sort: { _id: 1 } }).toArray())
      const byId = new Map<string, unknown>(found.map((document) => [document._id, document]))
      yield* confirm(byId.get(noteId) as Note | undefined, known[0]!)
      return known.map((row, index) =>
        Object.assign(row, { kept: byId.get(asked[index]!.orderId) as Kept | undefined })
      )
    })
    const findRead = (asked: ReadonlyArray<Asked>) =>
      Effect.map(readAll(findAll(asked)), ({ freshness, rows, verify }) =>
        rows.map((row) => ({ freshness, row, verify }))
      )
    const findTogether = yield* BatchedReads.make(findRead, { most: maxBatch, lanes })

    /** Reads the documents of a page, as `SqlOrderPages.selectPage` does with a statement. */
    const selectPage = Effect.fnUntraced(function* (query: OrderListQuery.OrderListQuery, token?: ConsistencyToken) {
      const place = query.after?._tag === "Updated" ? query.after : undefined
      const polled = query.sort === "updatedAt" ? PollingPlace.columns(sql, key, place) : sql`NULL AS "parkedStreams"`
      const [fresh] = yield* SqlView.select<Partial<PollingPlace.Polled>>(sql, key, polled, sql``, token)
      const { filter, sort } = listOf(query, fresh!.position)
      const { found, note } = yield* askAgain(() =>
        mongo.inOrder(async (session) => {
          const note = await notes.findOne({ _id: noteId }, { session })
          const cursor = rows.find(filter, { session, sort, projection, limit: query.limit + 1 })
          return { note, found: await cursor.toArray() }
        })
      )
      yield* confirm(note, fresh!)
      return listedRows(query, fresh!, found)
    })
    const findPage = SqlOrderPages.reader(selectPage, readAll, policies, unreadable)
    const findPageTogether = yield* BatchedReads.make(
      (asked: ReadonlyArray<SqlOrderPages.Asked>) => Effect.map(findPage(asked[0]!), (page) => asked.map(() => page)),
      { keyOf: SqlOrderPages.keyOf, lanes }
    )

    const selectCounts = Effect.fnUntraced(function* (customerId: string | undefined, token?: ConsistencyToken) {
      const [fresh] = yield* SqlView.select<{ readonly one: number }>(sql, key, sql`1 AS one`, sql``, token)
      const { counted, note } = yield* askAgain(() =>
        mongo.inOrder(async (session) => {
          const note = await notes.findOne({ _id: noteId }, { session })
          const stages = rows.aggregate<{ readonly _id: keyof OrderCounts; readonly orders: number }>(
            orderCounts(customerId),
            { session }
          )
          return { note, counted: await stages.toArray() }
        })
      )
      yield* confirm(note, fresh!)
      return [
        {
          ...fresh!,
          counts: Object.fromEntries(counted.map(({ _id, orders }) => [_id, Number(orders)])) as Partial<OrderCounts>
        }
      ]
    })

    return OrderQueries.of({
      get: Span.fn("OrderQueries.get")(function* (orderId, token) {
        const isInside = yield* OpenTransaction.isOf(sql)
        const { freshness, row, verify } = isInside
          ? (yield* findRead([{ orderId, token }]))[0]!
          : yield* findTogether({ orderId, token })
        yield* verify(token, row.tokenEventId)
        const { kept, parkedAt } = row
        const told = { freshness, ...(parkedAt === null ? {} : { parkedAt }) }
        if (kept === undefined) return told
        const order = StoredOrder.fromRow(storedRow(kept), policies)
        return order === undefined ? yield* Effect.die(new Error(unreadable(orderId))) : { order, ...told }
      }),

      counts: Span.fn("OrderQueries.counts")(function* ({ customerId }, token) {
        const { freshness, row } = yield* read(selectCounts(customerId, token), token)
        return { counts: { ...noOrders, ...row.counts }, freshness }
      }),

      list: (list, token) =>
        Span.within("OrderQueries.list")(
          Effect.flatMap(OpenTransaction.isOf(sql), (isInside) =>
            (isInside ? findPage : findPageTogether)({ list, token })
          )
        ),

      awaitPosition: (position) => progress.awaitPosition(key, position),
      position: progress.position(key),
      isLive: Effect.map(progress.status(key), (status) => status === undefined || status === "live")
    })
  })

export const layer = (mongo: MongoDb, collections: OrderCollections) =>
  Layer.effect(OrderQueries, make(mongo, collections))
