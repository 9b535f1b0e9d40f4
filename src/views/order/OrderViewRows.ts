/** Reads and writes rows of the order view: one statement for any number of orders. */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { Order } from "../../order/OrderState.ts"
import { paymentStatus, status } from "../../order/OrderStatus.ts"
import type { Slot } from "../../projection/Projection.ts"
import type { OrderEntry } from "./OrderEntry.ts"
import { OrderViewTable } from "./OrderViewTable.ts"

export interface StoredRow {
  readonly orderId: string
  /** As it was written by this version of the projection: another shape would be another version. */
  readonly state: Order
  readonly updatedAt: Date
  readonly position: bigint
}

const table = OrderViewTable.in

export const select = (sql: SqlClient.SqlClient, slot: Slot, orderIds: ReadonlyArray<string>) =>
  sql<StoredRow>`SELECT order_id AS "orderId", state, updated_at AS "updatedAt", "position"
    FROM ${table(sql, slot)} WHERE order_id = ANY(${orderIds}::text[]) ORDER BY order_id`

/** Of the states of these orders, as text. */
export const stateBytes = (sql: SqlClient.SqlClient, slot: Slot, orderIds: ReadonlyArray<string>) =>
  sql<{ readonly bytes: bigint }>`SELECT coalesce(sum(octet_length(state::text)), 0) AS bytes
    FROM ${table(sql, slot)} WHERE order_id = ANY(${orderIds}::text[])`.pipe(
    Effect.map(([row]) => Number(row?.bytes ?? 0))
  )

/** The whole of a row as JSON, times in ISO 8601. */
export interface FullRow {
  readonly version: number
  readonly position: string
  readonly customerId: string
  readonly status: string
  readonly paymentStatus: string
  readonly placedAt: string
  readonly updatedAt: string
  readonly state: unknown
}

export const selectFull = (sql: SqlClient.SqlClient, slot: Slot, orderId: string) =>
  sql<Omit<FullRow, "placedAt" | "updatedAt"> & { readonly placedAt: Date; readonly updatedAt: Date }>`
    SELECT version, "position"::text AS "position", customer_id AS "customerId", status,
      payment_status AS "paymentStatus", placed_at AS "placedAt", updated_at AS "updatedAt", state
    FROM ${table(sql, slot)} WHERE order_id = ${orderId}`

export const idsAfter = (sql: SqlClient.SqlClient, slot: Slot, after: string, limit: number) =>
  sql<{ readonly orderId: string }>`SELECT order_id AS "orderId" FROM ${table(sql, slot)}
    WHERE order_id > ${after} ORDER BY order_id LIMIT ${limit}`

/** The row of an order, if it is still at this version. */
export const remove = (sql: SqlClient.SqlClient, orderId: string, version: number) =>
  sql`DELETE FROM ordinal.order_view WHERE order_id = ${orderId} AND version = ${version} RETURNING order_id`

/** What the row of an entry should be. */
export const fullRow = ({ order, position, updatedAt }: OrderEntry): FullRow => ({
  version: order.version,
  position: String(position),
  customerId: order.customerId,
  status: status(order),
  paymentStatus: paymentStatus(order),
  placedAt: order.placedAt,
  updatedAt,
  state: JSON.parse(JSON.stringify(order))
})

/** The entries as a set of rows. */
const rows = (sql: SqlClient.SqlClient, entries: ReadonlyArray<OrderEntry>) => {
  const column = <A>(of: (entry: OrderEntry) => A) => entries.map(of)
  return sql`
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
    ORDER BY order_id`
}

const columns = `order_id, version, "position", customer_id, status, payment_status, placed_at, updated_at, state`

/** Who ordered and when never changes, so an update leaves it alone. */
export const upsert = (sql: SqlClient.SqlClient, slot: Slot, entries: ReadonlyArray<OrderEntry>) =>
  sql`
    INSERT INTO ${table(sql, slot)} (${sql.literal(columns)}) ${rows(sql, entries)}
    ON CONFLICT (order_id) DO UPDATE SET
      version = excluded.version, "position" = excluded."position", status = excluded.status,
      payment_status = excluded.payment_status, updated_at = excluded.updated_at, state = excluded.state`

/** Puts a missing row in its place. */
export const insertMissing = (sql: SqlClient.SqlClient, entry: OrderEntry) =>
  sql`INSERT INTO ordinal.order_view (${sql.literal(columns)}) ${rows(sql, [entry])}
    ON CONFLICT DO NOTHING RETURNING order_id`

/** Every column of a row that is still at this version. */
export const overwrite = (sql: SqlClient.SqlClient, entry: OrderEntry, version: number) =>
  sql`
    UPDATE ordinal.order_view v SET
      version = e.version, "position" = e."position", customer_id = e.customer_id, status = e.status,
      payment_status = e.payment_status, placed_at = e.placed_at, updated_at = e.updated_at, state = e.state
    FROM (${rows(sql, [entry])}) e
    WHERE v.order_id = e.order_id AND v.version = ${version}
    RETURNING v.order_id`
