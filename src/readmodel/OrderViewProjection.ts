/** Keeps `ordinal.order_view`: per batch one SELECT of the orders concerned, the fold in memory, one upsert. */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { id } from "../eventlog/StreamId.ts"
import type { Order } from "../order/OrderState.ts"
import { paymentStatus, status } from "../order/OrderStatus.ts"
import type { Batch, Projection } from "../projection/Projection.ts"
import * as OrderEntry from "./OrderEntry.ts"

interface StoredRow {
  readonly orderId: string
  /** As it was written by this version of the projection: another shape would be another version. */
  readonly state: Order
  readonly updatedAt: Date
  readonly position: bigint
}

const select = (sql: SqlClient.SqlClient, orderIds: ReadonlyArray<string>) =>
  sql<StoredRow>`SELECT order_id AS "orderId", state, updated_at AS "updatedAt", "position"
    FROM ordinal.order_view WHERE order_id = ANY(${orderIds}::text[]) ORDER BY order_id`

/** Who ordered and when never changes, so an update leaves it alone. */
const upsert = (sql: SqlClient.SqlClient, entries: ReadonlyArray<OrderEntry.OrderEntry>) => {
  const column = <A>(of: (entry: OrderEntry.OrderEntry) => A) => entries.map(of)
  return sql`
    INSERT INTO ordinal.order_view
      (order_id, version, "position", customer_id, status, payment_status, placed_at, updated_at, state)
    SELECT order_id, version, "position", customer_id, status, payment_status,
      placed_at::timestamptz, updated_at::timestamptz, state::json
    FROM unnest(
      ${column(({ order }) => order.id)}::text[],
      ${column(({ order }) => order.version)}::integer[],
      ${column(({ position }) => position)}::bigint[],
      ${column(({ order }) => order.customerId)}::text[],
      ${column(({ order }) => status(order))}::text[],
      ${column(({ order }) => paymentStatus(order))}::text[],
      ${column(({ order }) => order.placedAt)}::text[],
      ${column(({ updatedAt }) => updatedAt)}::text[],
      ${column(({ order }) => JSON.stringify(order))}::text[]
    ) AS entry
      (order_id, version, "position", customer_id, status, payment_status, placed_at, updated_at, state)
    ORDER BY order_id
    ON CONFLICT (order_id) DO UPDATE SET
      version = excluded.version, "position" = excluded."position", status = excluded.status,
      payment_status = excluded.payment_status, updated_at = excluded.updated_at, state = excluded.state`
}

const handle = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, events: Batch) {
  const orderIds = [...new Set(events.map((event) => id(event.streamId)))]
  const entries = new Map<string, OrderEntry.OrderEntry>()
  for (const { orderId, state: order, updatedAt, position } of yield* select(sql, orderIds)) {
    entries.set(orderId, { order, updatedAt: updatedAt.toISOString(), position })
  }
  for (const event of events) {
    const orderId = id(event.streamId)
    entries.set(orderId, OrderEntry.evolve(entries.get(orderId), event))
  }
  yield* upsert(sql, [...entries.values()])
})

export const OrderViewProjection: Projection = {
  name: "order-view",
  version: 1,
  partition: "stream",
  categories: ["order"],
  handle
}
