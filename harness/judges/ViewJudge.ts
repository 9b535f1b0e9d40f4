/** Judges that the order view is the fold of the log, column by column and byte by byte: all of it, nothing else. */
import type { RecordedEvent } from "../../src/eventstore/EventStore.ts"
import { category } from "../../src/eventstore/StreamId.ts"
import * as OrderEntry from "../../src/views/order/OrderEntry.ts"
import { row as rowOf } from "../../src/views/order/OrderViewRows.ts"
import type { Receipt } from "../clients/HttpClient.ts"
import { until } from "../clocks/Until.ts"
import type { Sql } from "../servers/Sql.ts"

const pageSize = 2_000

type EventRow = Omit<RecordedEvent, "recordedAt"> & { readonly recordedAt: Date }

async function* storedEvents(sql: Sql): AsyncGenerator<RecordedEvent> {
  for (let after = 0n; ;) {
    const page = await sql.rows<EventRow>(`
      SELECT "position", stream_id AS "streamId", version, event_id AS "eventId", type,
        schema_version AS "schemaVersion", data, metadata, recorded_at AS "recordedAt"
      FROM ordinal.events WHERE "position" > ${after} ORDER BY "position" LIMIT ${pageSize}`)
    for (const row of page) yield { ...row, recordedAt: row.recordedAt.toISOString() }
    if (page.length < pageSize) return
    after = page.at(-1)!.position
  }
}

/** A row as it is kept; its columns are JSON, the order's version first. */
export interface ViewRow {
  readonly orderId: string
  readonly columns: string
  readonly state: string
  readonly document: string | null
}

export async function* viewRows(sql: Sql): AsyncGenerator<ViewRow> {
  for (let after = ""; ;) {
    const page = await sql.rows<Omit<ViewRow, "columns"> & { readonly columns: ReadonlyArray<string | Date> }>(`
      SELECT order_id AS "orderId", state::text AS state, document, json_build_array(
          version, "position"::text, customer_id, status, payment_status,
          to_char(placed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
          to_char(updated_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
        ) AS columns
      FROM ordinal.order_view WHERE order_id > '${after}' ORDER BY order_id LIMIT ${pageSize}`)
    for (const row of page) yield { ...row, columns: JSON.stringify(row.columns) }
    if (page.length < pageSize) return
    after = page.at(-1)!.orderId
  }
}

const expectedRow = (entry: OrderEntry.OrderEntry): ViewRow => {
  const { customerId, document, paymentStatus, placedAt, position, status, updatedAt, version } = rowOf(entry)
  const columns = [version, position, customerId, status, paymentStatus, placedAt, updatedAt]
  return { orderId: entry.order.id, columns: JSON.stringify(columns), state: JSON.stringify(entry.order), document }
}

/** Lists what in the view is not the fold of the log, and counts the orders. Nobody may be writing. */
export const judge = async (
  sql: Sql,
  rows: AsyncIterable<ViewRow> = viewRows(sql)
): Promise<{ readonly faults: ReadonlyArray<string>; readonly orders: number }> => {
  const faults: Array<string> = []
  const entries = new Map<string, OrderEntry.OrderEntry>()
  for await (const event of storedEvents(sql)) {
    if (category(event.streamId) !== "order") continue
    const orderId = event.streamId.slice("order-".length)
    entries.set(orderId, OrderEntry.evolve(entries.get(orderId), event))
  }
  const orders = entries.size
  for await (const row of rows) {
    const entry = entries.get(row.orderId)
    entries.delete(row.orderId)
    if (entry === undefined) {
      faults.push(`${row.orderId} is in the view, and not in the log`)
      continue
    }
    const expected = expectedRow(entry)
    if (row.columns !== expected.columns) faults.push(`${row.orderId} is ${row.columns}, not ${expected.columns}`)
    else if (row.state !== expected.state) faults.push(`${row.orderId} has state ${row.state}, not ${expected.state}`)
    else if (row.document !== expected.document) {
      faults.push(`${row.orderId} has document ${row.document}, not ${expected.document}`)
    }
  }
  for (const orderId of entries.keys()) faults.push(`${orderId} is in the log, and not in the view`)
  return { faults, orders }
}

/** The columns of the view that old programs have. */
export const oldColumns = `order_id, version, "position", customer_id, status, payment_status, placed_at, updated_at, state::text`

/** One digest of each row, of these columns as text. */
export const digests = async (sql: Sql, columns = `${oldColumns}, document`): Promise<ReadonlyMap<string, string>> => {
  const rows = await sql.rows<{ readonly orderId: string; readonly digest: string }>(
    `SELECT order_id AS "orderId", md5((${columns})::text) AS digest FROM ordinal.order_view ORDER BY order_id`
  )
  return new Map(rows.map(({ digest, orderId }) => [orderId, digest]))
}

/** Lists the commands answered 202 that are not in the log as they were told. */
export const acknowledgedFaults = async (
  sql: Sql,
  receipts: ReadonlyArray<Receipt>
): Promise<ReadonlyArray<string>> => {
  const stored = new Map<number, string>()
  for await (const { metadata, position, streamId, version } of storedEvents(sql)) {
    stored.set(Number(position), `${streamId} ${version} ${metadata.commandId}`)
  }
  return receipts
    .filter(({ commandId, orderId, position, version }) => {
      return stored.get(position) !== `order-${orderId} ${version} ${commandId}`
    })
    .map(({ commandId, orderId, position }) => `${orderId}: ${commandId} was acknowledged at ${position} and is lost`)
}

/** These are the position of the live view, the head of the log, and the owner of the view's lease. */
export interface Standing {
  readonly position: number
  readonly head: number
  readonly owner: string | null
}

export const standing = async (sql: Sql, view = "order-view"): Promise<Standing | undefined> => {
  const [row] = await sql.rows<Standing>(`
    SELECT c."position"::float8 AS position, h."position"::float8 AS head, c.owner::text AS owner
    FROM ordinal.log_head h LEFT JOIN ordinal.checkpoints c ON c.projection = '${view}' AND c.slot = 'live'
    ORDER BY h."position"`)
  return row
}

/** Waits until the view has all of the log. */
export const caughtUp = (sql: Sql, view?: string): Promise<Standing> =>
  until(
    () => standing(sql, view),
    (now): now is Standing => now !== undefined && now.position === now.head,
    { what: "The view's last event", pause: 20 }
  )
