/**
 * Between an aggregate's events and the stored JSON. The stored `type` is the event's `_tag`, `data` the rest of it.
 *
 * **Gotchas**: an unknown type or a shape that does not decode is a defect: the reader stops, it never skips.
 */
import { Schema } from "effect"
import type { RecordedEvent } from "../eventlog/RecordedEvent.ts"

export interface EventCodec<Event> {
  encode(event: Event): { readonly type: string; readonly schemaVersion: number; readonly data: unknown }
  /** The schema version that new events of this type are stored with. */
  schemaVersion(type: string): number
  decode(stored: Pick<RecordedEvent, "type" | "schemaVersion" | "data">): Event
}

/** A codec for a tagged union in which every case is at schema version 1. */
export const make = <Event extends { readonly _tag: string }, Encoded extends { readonly _tag: string }>(
  schema: Schema.Codec<Event, Encoded>
): EventCodec<Event> => {
  const encode = Schema.encodeSync(schema)
  const decode = Schema.decodeUnknownSync(schema)
  return {
    encode: (event) => {
      const { _tag: type, ...data } = encode(event)
      return { type, schemaVersion: 1, data }
    },
    schemaVersion: () => 1,
    decode: ({ type, schemaVersion, data }) => {
      if (schemaVersion !== 1) throw new Error(`event type ${type} has no schema version ${schemaVersion} here`)
      return decode({ ...(data as object), _tag: type })
    }
  }
}
