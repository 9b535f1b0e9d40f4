/** Keeps `ordinal.order_view`: per batch one SELECT of the orders concerned, the fold in memory, one upsert. */
import { Array as Arr, Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import * as StreamId from "../../eventstore/StreamId.ts"
import type { Batch, Projection, ProjectionAudit, Slot } from "../../projection/Projection.ts"
import * as OrderEntry from "./OrderEntry.ts"
import * as OrderViewRows from "./OrderViewRows.ts"
import { OrderViewTable } from "./OrderViewTable.ts"

const entryOf = ({ position, state: order, updatedAt }: OrderViewRows.StoredRow): OrderEntry.OrderEntry => ({
  order,
  updatedAt: updatedAt.toISOString(),
  position
})

const orderIdOf = ([orderId]: readonly [string, Batch]) => orderId

/** Of states as text in memory at once, about; an order with many lines has 250 KB. */
const mostBytes = 8 * 1024 * 1024
const ordersAtOnce = 100

const foldOf = (entry: OrderEntry.OrderEntry | undefined, [first, ...rest]: Batch) =>
  rest.reduce(OrderEntry.evolve, OrderEntry.evolve(entry, first))

const apply = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  slot: Slot,
  orders: ReadonlyArray<readonly [orderId: string, events: Batch]>
) {
  const rows = yield* OrderViewRows.select(sql, slot, orders.map(orderIdOf))
  const stored = new Map(rows.map((row) => [row.orderId, entryOf(row)]))
  const entries: Array<OrderEntry.OrderEntry> = []
  for (const [index, [orderId, events]] of orders.entries()) {
    // Who else has something to do in this process has its turn.
    if (index > 0 && index % ordersAtOnce === 0) yield* Effect.yieldNow
    entries.push(foldOf(stored.get(orderId), events))
  }
  yield* OrderViewRows.upsert(sql, slot, entries)
})

const handle = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, events: Batch, slot: Slot) {
  const orders = Object.entries(Arr.groupBy(events, (event) => StreamId.id(event.streamId)))
  const isLarge =
    orders.length > ordersAtOnce && (yield* OrderViewRows.stateBytes(sql, slot, orders.map(orderIdOf))) > mostBytes
  for (const some of Arr.chunksOf(orders, isLarge ? ordersAtOnce : orders.length)) yield* apply(sql, slot, some)
})

/** The order is then at the event's version without what the event says. One that is not there can't be helped so. */
const skip = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, event: RecordedEvent, slot: Slot) {
  const [row] = yield* OrderViewRows.select(sql, slot, [StreamId.id(event.streamId)])
  if (row === undefined) return
  const { position, recordedAt: updatedAt, version } = event
  yield* OrderViewRows.upsert(sql, slot, [{ order: { ...row.state, version }, updatedAt, position }])
})

const audit: ProjectionAudit = {
  row: (sql, streamId, slot) =>
    Effect.map(OrderViewRows.selectFull(sql, slot, StreamId.id(streamId)), ([row]) => {
      if (row === undefined) return undefined
      const content: OrderViewRows.FullRow = {
        ...row,
        placedAt: row.placedAt.toISOString(),
        updatedAt: row.updatedAt.toISOString()
      }
      return { version: row.version, content }
    }),
  *contents(events) {
    let entry: OrderEntry.OrderEntry | undefined
    for (const event of events) {
      entry = OrderEntry.evolve(entry, event)
      yield OrderViewRows.fullRow(entry)
    }
  },
  streams: (sql, slot, after, limit) =>
    Effect.map(OrderViewRows.idsAfter(sql, slot, after === undefined ? "" : StreamId.id(after), limit), (rows) =>
      rows.map(({ orderId }) => `order-${orderId}`)
    ),
  remove: (sql, streamId, over) =>
    Effect.map(OrderViewRows.remove(sql, StreamId.id(streamId), over), (rows) => rows.length > 0),
  write: (sql, events, over) => {
    const entry = foldOf(undefined, events)
    const written =
      over === undefined ? OrderViewRows.insertMissing(sql, entry) : OrderViewRows.overwrite(sql, entry, over)
    return Effect.map(written, (rows) => rows.length > 0)
  }
}

export const OrderViewProjection: Projection = {
  name: "order-view",
  version: 1,
  partition: "stream",
  categories: ["order"],
  handle,
  skip,
  tables: OrderViewTable,
  audit
}
