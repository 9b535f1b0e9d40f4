/** Keeps `ordinal.order_view`, which has a row per order. */
import { Array as Arr, Effect } from "effect"
import type { Projection } from "../../projection/Projection.ts"
import * as ViewProjection from "../../projection/view/ViewProjection.ts"
import * as OrderEntry from "./OrderEntry.ts"
import * as OrderViewRows from "./OrderViewRows.ts"
import { WrittenOrders } from "./WrittenOrders.ts"

interface Written extends OrderViewRows.Written {
  /** Of the order's last event, if it was applied just now. */
  readonly eventId: string | undefined
}

/** Tells a cache, if there is one, what was written. */
const note = (orders: ReadonlyArray<Written>) =>
  Effect.map(WrittenOrders, (written) =>
    written?.offer(
      orders.flatMap(({ document, entry: { position }, eventId, version, view: { orderId } }) =>
        eventId === undefined ? [] : [{ orderId, version, position, eventId, document }]
      )
    )
  )

const { apply, audit, skip } = ViewProjection.make<OrderEntry.OrderEntry, Written, OrderViewRows.Row>({
  evolve: OrderEntry.evolve,
  skip: ({ order }, { position, recordedAt: updatedAt, version }) => ({
    order: { ...order, version },
    updatedAt,
    position
  }),
  ...OrderViewRows,
  encode: (entry, before, last) => ({ ...OrderViewRows.encode(entry, before), eventId: last?.eventId }),
  upsert: (sql, slot, orders, over) =>
    Effect.tap(OrderViewRows.upsert(sql, slot, orders, over), () => (slot === "live" ? note(orders) : Effect.void))
})

/** About so much text of states is in memory at once; an order with many lines has 250 KB. */
const maxBytes = 8 * 1024 * 1024
/** So many orders are applied at once where the states are too large to be in memory together. */
const chunk = 100

const handle: Projection["handle"] = (sql, events, slot) =>
  apply(
    sql,
    slot,
    events,
    Effect.fnUntraced(function* (orders) {
      if (orders.length <= chunk) return [orders]
      const ids = orders.map(([streamId]) => streamId)
      const isLarge = (yield* OrderViewRows.stateBytes(sql, slot, ids)) > maxBytes
      return isLarge ? Arr.chunksOf(orders, chunk) : [orders]
    })
  )

export const OrderViewProjection: Projection = {
  name: "order-view",
  version: 4,
  partition: "stream",
  categories: ["order"],
  handle,
  skip,
  tables: OrderViewRows.OrderViewTable,
  audit
}
