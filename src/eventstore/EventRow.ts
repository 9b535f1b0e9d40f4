/** The columns of `ordinal.events` as everybody selects them who reads whole events, and the decoding of such rows. */
import type { RecordedEvent } from "./EventStore.ts"

/** An event as the driver returns it, with its time as a `Date`. */
export interface EventRow extends Omit<RecordedEvent, "recordedAt"> {
  readonly recordedAt: Date
}

/** Goes into statements by `sql.literal`. */
export const columns = `"position", stream_id AS "streamId", version, event_id AS "eventId", type,
  schema_version AS "schemaVersion", data, metadata, recorded_at AS "recordedAt"`

export const decode = (rows: ReadonlyArray<EventRow>): ReadonlyArray<RecordedEvent> =>
  rows.map((row) => ({ ...row, recordedAt: row.recordedAt.toISOString() }))
