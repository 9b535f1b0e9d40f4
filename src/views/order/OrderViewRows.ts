/** Defines the table of the order view, and the statements that read and write any number of its rows. */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import * as StreamId from "../../eventstore/StreamId.ts"
import type { Order } from "../../order/OrderState.ts"
import { status } from "../../order/OrderStatus.ts"
import type { Slot } from "../../projection/Projection.ts"
import * as ProjectionTable from "../../projection/ProjectionTable.ts"
import type { Encoded } from "../../projection/view/ViewProjection.ts"
import * as OrderCounters from "./OrderCounters.ts"
import type { OrderEntry } from "./OrderEntry.ts"
import * as OrderView from "./OrderView.ts"
import * as StoredOrder from "./StoredOrder.ts"

/**
 * The document is what callers are sent (`StoredOrder`), and the state beside it is what the next event is applied to; it
 * is json, not jsonb, because it is read whole and never looked into. `bytes` is how much text a page of a list gets.
 */
export const OrderViewTable = ProjectionTable.make({
  name: "ordinal.order_view",
  columns: `
    order_id text COLLATE "C" PRIMARY KEY,
    version integer NOT NULL,
    "position" bigint NOT NULL,
    customer_id text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    payment_status text COLLATE "C" NOT NULL,
    placed_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    state json NOT NULL`,
  added: { document: "text", bytes: "integer" },
  indexes: {
    placed_at: "(placed_at, order_id)",
    customer: "(customer_id, placed_at, order_id) INCLUDE (status)",
    status: "(status, placed_at, order_id)",
    payment_status: "(payment_status, placed_at, order_id)",
    position: `("position")`,
    customer_position: `(customer_id, "position")`,
    status_position: `(status, "position")`
  },
  made: OrderCounters.begin,
  storage: "fillfactor = 80"
})

const table = OrderViewTable.in
const streamOf = (orderId: string) => `order-${orderId}`
const idsOf = (streamIds: ReadonlyArray<string>) => streamIds.map(StreamId.id)

/** Holds a whole row as JSON, its times in ISO 8601. */
export interface Row {
  readonly version: number
  readonly position: string
  readonly customerId: string
  readonly status: string
  readonly paymentStatus: string
  readonly placedAt: string
  readonly updatedAt: string
  readonly state: unknown
  readonly document: string | null
}

/** Makes the row that an entry should have. */
export const row = ({ order, position, updatedAt }: OrderEntry): Row => {
  const view = OrderView.fromState(order, updatedAt)
  return {
    version: order.version,
    position: String(position),
    customerId: order.customerId,
    status: view.status,
    paymentStatus: view.paymentStatus,
    placedAt: order.placedAt,
    updatedAt,
    state: JSON.parse(JSON.stringify(order)),
    document: StoredOrder.textOf(order, updatedAt, view) ?? null
  }
}

interface StoredEntry {
  readonly orderId: string
  /** This version of the projection wrote it: a state of another shape would be another version's. */
  readonly state: Order
  readonly updatedAt: Date
  readonly position: bigint
}

export const entries = (sql: SqlClient.SqlClient, slot: Slot, streamIds: ReadonlyArray<string>) =>
  sql<StoredEntry>`SELECT order_id AS "orderId", state, updated_at AS "updatedAt", "position"
    FROM ${table(sql, slot)} WHERE order_id = ANY(${idsOf(streamIds)}::text[]) ORDER BY order_id`.pipe(
    Effect.map((rows) => {
      const entryOf = ({ position, state: order, updatedAt }: StoredEntry): OrderEntry => ({
        order,
        updatedAt: updatedAt.toISOString(),
        position
      })
      return new Map(rows.map((row) => [streamOf(row.orderId), entryOf(row)]))
    })
  )

/** Adds up the text of these orders. */
export const stateBytes = (sql: SqlClient.SqlClient, slot: Slot, streamIds: ReadonlyArray<string>) =>
  sql<{ readonly bytes: bigint }>`SELECT coalesce(sum(coalesce(bytes, octet_length(state::text))), 0) AS bytes
    FROM ${table(sql, slot)} WHERE order_id = ANY(${idsOf(streamIds)}::text[])`.pipe(
    Effect.map(([row]) => Number(row?.bytes ?? 0))
  )

export const storedRow = (sql: SqlClient.SqlClient, slot: Slot, streamId: string) =>
  sql<Omit<Row, "placedAt" | "updatedAt"> & { readonly placedAt: Date; readonly updatedAt: Date }>`
    SELECT version, "position"::text AS "position", customer_id AS "customerId", status,
      payment_status AS "paymentStatus", placed_at AS "placedAt", updated_at AS "updatedAt", state, document
    FROM ${table(sql, slot)} WHERE order_id = ${StreamId.id(streamId)}`.pipe(
    Effect.map(([row]): Row | undefined =>
      row === undefined
        ? undefined
        : { ...row, placedAt: row.placedAt.toISOString(), updatedAt: row.updatedAt.toISOString() }
    )
  )

export const streams = (sql: SqlClient.SqlClient, slot: Slot, after: string | undefined, limit: number) =>
  sql<{ readonly orderId: string }>`SELECT order_id AS "orderId" FROM ${table(sql, slot)}
    WHERE order_id > ${after === undefined ? "" : StreamId.id(after)} ORDER BY order_id LIMIT ${limit}`.pipe(
    Effect.map((rows) => rows.map(({ orderId }) => streamOf(orderId)))
  )

export interface Written extends Encoded<OrderEntry> {
  readonly before: OrderEntry | undefined
  readonly view: OrderView.OrderView
  readonly state: string
  /** It is empty where there is none. */
  readonly document: string
}

export const encode = (entry: OrderEntry, before: OrderEntry | undefined): Written => {
  const { order, updatedAt } = entry
  const view = OrderView.fromState(order, updatedAt)
  const [state, document] = [JSON.stringify(order), StoredOrder.textOf(order, updatedAt, view) ?? ""]
  return { entry, before, version: order.version, bytes: state.length + document.length, view, state, document }
}

export const upsert = (sql: SqlClient.SqlClient, slot: Slot, orders: ReadonlyArray<Written>, over?: number) => {
  const column = <A>(of: (view: OrderView.OrderView) => A) => orders.map(({ view }) => of(view))
  // A row that is put right may have been any other one: then the rows are counted anew.
  const changes = orders.map(({ before, view }) => ({ before: before && status(before.order), after: view.status }))
  const counted = over === undefined ? OrderCounters.moved(sql, table(sql, slot), changes) : undefined
  const upserted = sql`${counted === undefined ? sql`` : sql`WITH counted AS (${counted})`}
    INSERT INTO ${table(sql, slot)} AS known
      (order_id, version, "position", customer_id, status, payment_status, placed_at, updated_at, state, document, bytes)
    SELECT order_id, version, "position", customer_id, status, payment_status,
      placed_at::timestamptz, updated_at::timestamptz, state::json, nullif(document, ''),
      octet_length(CASE WHEN document = '' THEN state ELSE document END)
    FROM unnest(
      ${column(({ orderId }) => orderId)}::text[],
      ${column(({ version }) => version)}::integer[],
      ${orders.map(({ entry }) => entry.position)}::bigint[],
      ${column(({ customerId }) => customerId)}::text[],
      ${column(({ status }) => status)}::text[],
      ${column(({ paymentStatus }) => paymentStatus)}::text[],
      ${column(({ placedAt }) => placedAt)}::text[],
      ${column(({ updatedAt }) => updatedAt)}::text[],
      ${orders.map(({ state }) => state)}::text[],
      ${orders.map(({ document }) => document)}::text[]
    ) AS entry
      (order_id, version, "position", customer_id, status, payment_status, placed_at, updated_at, state, document)
    ORDER BY order_id
    ON CONFLICT (order_id) DO UPDATE SET
      version = excluded.version, "position" = excluded."position", customer_id = excluded.customer_id,
      status = excluded.status, payment_status = excluded.payment_status, placed_at = excluded.placed_at,
      updated_at = excluded.updated_at, state = excluded.state, document = excluded.document, bytes = excluded.bytes
    ${over === undefined ? sql`` : sql`WHERE known.version = ${over} RETURNING order_id`}`
  return over === undefined ? upserted : Effect.tap(upserted, OrderCounters.recount(sql))
}

export const remove = (sql: SqlClient.SqlClient, streamId: string, version: number) =>
  sql`DELETE FROM ordinal.order_view WHERE order_id = ${StreamId.id(streamId)} AND version = ${version}
    RETURNING order_id`.pipe(Effect.tap(OrderCounters.recount(sql)))
