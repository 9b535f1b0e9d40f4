/**
 * The lines of an exported log, made from the database and put back into it. What is stored as JSON goes through as its text, so
 * that no number is rounded, and times keep their microseconds: the same history has the same lines, byte by byte, in any
 * database.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { boundedPage } from "../eventstore/SqlEventStore.ts"

const utc = `to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "recordedAt"`
const eventColumns = `"position", stream_id AS "streamId", version, event_id AS "eventId", type,
  schema_version AS "schemaVersion", data::text AS data, metadata::text AS metadata, ${utc}`

/** An event as it is stored, its data and metadata as JSON text. */
export interface EventRow {
  readonly position: bigint
  readonly streamId: string
  readonly version: number
  readonly eventId: string
  readonly type: string
  readonly schemaVersion: number
  readonly data: string
  readonly metadata: string
  readonly recordedAt: string
}

interface ReceiptRow {
  readonly commandId: string
  readonly fingerprint: string
  readonly streamId: string
  readonly version: number
  readonly position: bigint
  readonly receipt: string
  readonly recordedAt: string
}

const text = (value: string) => JSON.stringify(value)

export const eventLine = (row: EventRow): string =>
  `{"event":{"position":${row.position},"streamId":${text(row.streamId)},"version":${row.version},` +
  `"eventId":"${row.eventId}","type":${text(row.type)},"schemaVersion":${row.schemaVersion},` +
  `"recordedAt":"${row.recordedAt}","metadata":${row.metadata},"data":${row.data}}}`

const receiptLine = (row: ReceiptRow): string =>
  `{"receipt":{"commandId":"${row.commandId}","fingerprint":${text(row.fingerprint)},"streamId":${text(row.streamId)},` +
  `"version":${row.version},"position":${row.position},"recordedAt":"${row.recordedAt}","receipt":${row.receipt}}}`

const pageSize = 1_000

/** Reads a page of the events from `after + 1` up to position `upTo`: few if they are large, none at the end. */
export const events = (sql: SqlClient.SqlClient, after: bigint, upTo: bigint) =>
  sql<EventRow>`SELECT ${sql.literal(eventColumns)}
    FROM (${boundedPage(sql, sql`ordinal.events WHERE "position" <= ${upTo}`, "position", { after, limit: pageSize })}) AS page
    ORDER BY "position"`

export interface Receipt {
  readonly commandId: string
  readonly line: string
}

/** Reads a page of what is remembered of keyed commands up to position `upTo`, in the order of their ids. */
export const receipts = (sql: SqlClient.SqlClient, after: string, upTo: bigint) =>
  sql<ReceiptRow>`SELECT command_id AS "commandId", fingerprint, stream_id AS "streamId", version, "position",
      receipt::text AS receipt, ${sql.literal(utc)}
    FROM ordinal.commands WHERE command_id > ${after}::uuid AND "position" <= ${upTo}
    ORDER BY command_id LIMIT ${pageSize}`.pipe(
    Effect.map((rows) => rows.map((row): Receipt => ({ commandId: row.commandId, line: receiptLine(row) })))
  )

export const noCommand = "00000000-0000-0000-0000-000000000000"

const arrayOf = (lines: ReadonlyArray<string>) => `[${lines.join()}]`

/** Stores the events of these lines, each at its own position. */
export const storeEvents = (sql: SqlClient.SqlClient, lines: ReadonlyArray<string>) =>
  sql`INSERT INTO ordinal.events
      ("position", stream_id, version, event_id, type, schema_version, data, metadata, recorded_at)
    SELECT (e ->> 'position')::bigint, e ->> 'streamId', (e ->> 'version')::integer, (e ->> 'eventId')::uuid, e ->> 'type',
      (e ->> 'schemaVersion')::integer, e -> 'data', e -> 'metadata', (e ->> 'recordedAt')::timestamptz
    FROM jsonb_array_elements(${arrayOf(lines)}::text::jsonb) AS line, LATERAL (SELECT line -> 'event' AS e) AS event`

/** Stores the receipts of these lines, but for those that are there. */
export const storeReceipts = (sql: SqlClient.SqlClient, lines: ReadonlyArray<string>) =>
  sql`INSERT INTO ordinal.commands (command_id, fingerprint, stream_id, version, "position", receipt, recorded_at)
    SELECT (r ->> 'commandId')::uuid, r ->> 'fingerprint', r ->> 'streamId', (r ->> 'version')::integer,
      (r ->> 'position')::bigint, r -> 'receipt', (r ->> 'recordedAt')::timestamptz
    FROM jsonb_array_elements(${arrayOf(lines)}::text::jsonb) AS line, LATERAL (SELECT line -> 'receipt' AS r) AS receipt
    ON CONFLICT DO NOTHING`
