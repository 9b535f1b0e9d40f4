/** Holds the columns that every statement selects which reads whole events, and decodes the rows. */
import type { RecordedEvent } from "./EventStore.ts"

/** The driver returns an event like this, with its time as a `Date` and its data as text. */
export interface EventRow extends Omit<RecordedEvent, "recordedAt"> {
  readonly recordedAt: Date
  readonly data: string
}

/** Statements contain these columns by `sql.literal`. The data is text, so that its size is known. */
export const columns = `"position", stream_id AS "streamId", version, event_id AS "eventId", type,
  schema_version AS "schemaVersion", data::text AS data, metadata, recorded_at AS "recordedAt"`

const sizes = new WeakMap<ReadonlyArray<RecordedEvent>, number>()

export const decode = (rows: ReadonlyArray<EventRow>): ReadonlyArray<RecordedEvent> => {
  let bytes = 0
  const events = rows.map((row): RecordedEvent => {
    const { eventId, metadata, position, schemaVersion, streamId, type, version } = row
    bytes += row.data.length
    const [data, recordedAt] = [JSON.parse(row.data), row.recordedAt.toISOString()]
    return { position, streamId, version, eventId, type, schemaVersion, data, metadata, recordedAt }
  })
  sizes.set(events, bytes)
  return events
}

/** Returns the size of the data of a page as JSON: it is known of a page that was read from the database. */
export const bytesOf = (events: ReadonlyArray<RecordedEvent>): number =>
  sizes.get(events) ?? events.reduce((sum, event) => sum + JSON.stringify(event.data).length, 0)
