/** Keeps `ordinal.order_view`: per batch one SELECT of the orders concerned, the fold in memory, one upsert. */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { RecordedEvent } from "../eventlog/RecordedEvent.ts"
import * as StreamId from "../eventlog/StreamId.ts"
import type { Batch, Projection, ProjectionAudit, Slot } from "../projection/Projection.ts"
import * as BatchFold from "./BatchFold.ts"
import * as OrderEntry from "./OrderEntry.ts"
import * as OrderViewRows from "./OrderViewRows.ts"
import { OrderViewTable } from "./OrderViewTable.ts"

const entryOf = ({ position, state: order, updatedAt }: OrderViewRows.StoredRow): OrderEntry.OrderEntry => ({
  order,
  updatedAt: updatedAt.toISOString(),
  position
})

const streamOf = (orderId: string) => `order-${orderId}`

const handle = (sql: SqlClient.SqlClient, events: Batch, slot: Slot) =>
  BatchFold.run(
    {
      select: (streamIds) =>
        Effect.map(OrderViewRows.select(sql, slot, streamIds.map(StreamId.id)), (rows) =>
          rows.map((row) => [streamOf(row.orderId), entryOf(row)] as const)
        ),
      evolve: OrderEntry.evolve,
      upsert: (entries) => OrderViewRows.upsert(sql, slot, entries)
    },
    events
  )

/** The order is then at the event's version without what the event says. One that is not there can't be helped so. */
const skip = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, event: RecordedEvent, slot: Slot) {
  const [row] = yield* OrderViewRows.select(sql, slot, [StreamId.id(event.streamId)])
  if (row === undefined) return
  const { position, recordedAt: updatedAt, version } = event
  yield* OrderViewRows.upsert(sql, slot, [{ order: { ...row.state, version }, updatedAt, position }])
})

const lastOf = (events: Batch): OrderEntry.OrderEntry => {
  const [first, ...rest] = events
  return rest.reduce(OrderEntry.evolve, OrderEntry.evolve(undefined, first))
}

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
      rows.map(({ orderId }) => streamOf(orderId))
    ),
  remove: (sql, streamId, over) =>
    Effect.map(OrderViewRows.remove(sql, StreamId.id(streamId), over), (rows) => rows.length > 0),
  write: (sql, events, over) => {
    const entry = lastOf(events)
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
