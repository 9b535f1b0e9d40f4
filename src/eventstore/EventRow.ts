/** Holds the columns that every statement selects which reads whole events, and decodes the rows. */
import type { RecordedEvent } from "./EventStore.ts"

/** The driver returns an event like this, with its time as a `Date`. */
export interface EventRow extends Omit<RecordedEvent, "recordedAt"> {
  readonly recordedAt: Date
}

/** Statements contain these columns by `sql.literal`. */
export const columns = `"position", stream_id AS "streamId", version, event_id AS "eventId", type,
  schema_version AS "schemaVersion", data, metadata, recorded_at AS "recordedAt"`

export const decode = (rows: ReadonlyArray<EventRow>): ReadonlyArray<RecordedEvent> =>
  rows.map((row) => ({ ...row, recordedAt: row.recordedAt.toISOString() }))
