/**
 * The event envelope: what a writer hands to the log, and what the log hands to every reader.
 *
 * `data` is the stored JSON, still undecoded: only the owner of an event type knows its schema.
 */
import type { StreamId } from "./StreamId.ts"

/** Who, why and after what. Ids are UUIDs; `customerId` is the owner of the order, if there is one. */
export interface EventMetadata {
  readonly commandId: string
  readonly correlationId: string
  readonly causationId: string
  readonly actor?: string
  readonly customerId?: string
  readonly traceparent?: string
}

export interface NewEvent {
  /** UUIDv7, unique in the whole log. */
  readonly eventId: string
  readonly type: string
  readonly schemaVersion: number
  readonly data: unknown
}

export interface RecordedEvent extends NewEvent {
  /** From 1, without gaps, in commit order, over the whole log. */
  readonly position: bigint
  readonly streamId: StreamId
  /** From 1, without gaps, in its stream. */
  readonly version: number
  readonly metadata: EventMetadata
  /** ISO 8601 in UTC, milliseconds; never goes back within the log. */
  readonly recordedAt: string
}
