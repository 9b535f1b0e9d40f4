/** An event as callers see it, in process and from afar: with its public type, and without what only the log needs. */
import type { RecordedEvent } from "../eventstore/EventStore.ts"
import * as StreamId from "../eventstore/StreamId.ts"
import { wireType } from "./WireType.ts"

export interface PublishedEvent {
  readonly eventId: string
  /** As in `order.items-shipped.v1`: the version of its shape is part of it. */
  readonly type: string
  readonly position: bigint
  readonly streamId: StreamId.StreamId
  readonly version: number
  readonly recordedAt: string
  /** Who sent the command. */
  readonly actor?: string
  readonly correlationId: string
  /** The id of the command, unless its sender named another cause. */
  readonly causationId: string
  readonly traceparent?: string
  /** JSON. */
  readonly data: unknown
}

export const fromRecorded = (event: RecordedEvent): PublishedEvent => {
  const { eventId, metadata, position, recordedAt, schemaVersion, streamId, type, version } = event
  const { actor, causationId, correlationId, traceparent } = metadata
  return {
    eventId,
    type: wireType(StreamId.category(streamId), type, schemaVersion),
    position,
    streamId,
    version,
    recordedAt,
    ...(actor === undefined ? {} : { actor }),
    correlationId,
    causationId,
    ...(traceparent === undefined ? {} : { traceparent }),
    data: event.data
  }
}
