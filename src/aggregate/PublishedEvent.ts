/** An event as callers see it, in process and remotely: with its public type, and without what only the log needs. */
import type { RecordedEvent } from "../eventstore/EventStore.ts"
import * as StreamId from "../eventstore/StreamId.ts"

export interface PublishedEvent {
  readonly eventId: string
  /** As in `order.items-shipped.v1`: the version of the event's shape is part of its type. */
  readonly type: string
  readonly position: bigint
  readonly streamId: StreamId.StreamId
  readonly version: number
  /** ISO 8601, in UTC. */
  readonly recordedAt: string
  /** The sender of the command. */
  readonly actor?: string
  readonly correlationId: string
  /** The id of the command, unless its sender named another cause. */
  readonly causationId: string
  readonly traceparent?: string
  /** JSON. */
  readonly data: unknown
}

/** `LineAdded` becomes `line-added`. */
export const kebab = (name: string): string => name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "-").toLowerCase()

const makeWireType = (category: string, type: string, schemaVersion: number): string => {
  const prefix = category.charAt(0).toUpperCase() + category.slice(1)
  const isLeading = type.startsWith(prefix) && /^[A-Z]/.test(type.slice(prefix.length))
  return `${category}.${kebab(isLeading ? type.slice(prefix.length) : type)}.v${schemaVersion}`
}

/** There are few types, and making one costs more than finding it. */
const wireTypes = new Map<string, string>()
const maxWireTypes = 10_000

/**
 * The public type of an event, as in `order.line-added.v1`: the category, the event's name without a leading category in
 * kebab case, the schema version. Subscribers match on it, so it never changes.
 */
export const wireType = (category: string, type: string, schemaVersion: number): string => {
  const key = `${category}.${type}.${schemaVersion}`
  const known = wireTypes.get(key)
  if (known !== undefined) return known
  const made = makeWireType(category, type, schemaVersion)
  if (wireTypes.size < maxWireTypes) wireTypes.set(key, made)
  return made
}

export const fromRecorded = (event: RecordedEvent): PublishedEvent => {
  const { data, eventId, metadata, position, recordedAt, schemaVersion, streamId, type, version } = event
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
    data
  }
}
