/** Keeps `ordinal.order_view`, which has a row per order. */
import { Array as Arr, Effect } from "effect"
import type { Projection } from "../../projection/Projection.ts"
import * as ViewProjection from "../ViewProjection.ts"
import * as OrderEntry from "./OrderEntry.ts"
import * as OrderViewRows from "./OrderViewRows.ts"

const { apply, audit, skip } = ViewProjection.make<OrderEntry.OrderEntry, OrderViewRows.Row>({
  evolve: OrderEntry.evolve,
  skip: ({ order }, { position, recordedAt: updatedAt, version }) => ({
    order: { ...order, version },
    updatedAt,
    position
  }),
  ...OrderViewRows
})

/** About so much text of states is in memory at once; an order with many lines has 250 KB. */
const maxBytes = 8 * 1024 * 1024
/** So many orders are applied at once where the states are too large to be in memory together. */
const chunk = 100

const handle: Projection["handle"] = Effect.fnUntraced(function* (sql, events, slot) {
  const orders = ViewProjection.byStream(events)
  const isLarge =
    orders.length > chunk &&
    (yield* OrderViewRows.stateBytes(
      sql,
      slot,
      orders.map(([streamId]) => streamId)
    )) > maxBytes
  for (const some of Arr.chunksOf(orders, isLarge ? chunk : orders.length)) yield* apply(sql, slot, some)
})

export const OrderViewProjection: Projection = {
  name: "order-view",
  version: 2,
  partition: "stream",
  categories: ["order"],
  handle,
  skip,
  tables: OrderViewRows.OrderViewTable,
  audit
}
