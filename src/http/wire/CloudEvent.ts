/** Writes an event as a CloudEvent (CloudEvents 1.0.2), as HTTP callers see it, and reads it back for clients. */
import { Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"
import * as StreamId from "../../eventstore/StreamId.ts"
import type { PublishedEvent } from "../../aggregate/PublishedEvent.ts"

export const CloudEvent = Schema.Struct({
  specversion: Schema.Literal("1.0"),
  /** This is the UUIDv7 of the event. */
  id: Schema.String,
  source: Schema.String,
  type: Schema.String,
  subject: Schema.String,
  time: Schema.String,
  datacontenttype: Schema.Literal("application/json"),
  /** This is the position in the log, in 20 digits, so that text order is position order. */
  sequence: Schema.String.check(Schema.isPattern(/^[0-9]{20}$/u)),
  partitionkey: Schema.String,
  /** Events of one stream are numbered from 1. */
  streamversion: Schema.Int,
  correlationid: Schema.String,
  /** This is the id of the command, unless its sender named another cause. */
  causationid: Schema.String,
  /** This is who sent the command. */
  actor: Schema.optionalKey(Schema.String),
  traceparent: Schema.optionalKey(Schema.String),
  data: Schema.Json
}).annotate({ identifier: "CloudEvent" })
export type CloudEvent = typeof CloudEvent.Type

export const CloudEventBatch = Schema.Array(CloudEvent).pipe(
  HttpApiSchema.asJson({ contentType: "application/cloudevents-batch+json" })
)

export const fromEvent = (event: PublishedEvent): CloudEvent => {
  const { actor, streamId, traceparent } = event
  const subject = StreamId.id(streamId)
  return {
    specversion: "1.0",
    id: event.eventId,
    source: `/${StreamId.category(streamId)}s`,
    type: event.type,
    subject,
    time: event.recordedAt,
    datacontenttype: "application/json",
    sequence: String(event.position).padStart(20, "0"),
    partitionkey: subject,
    streamversion: event.version,
    correlationid: event.correlationId,
    causationid: event.causationId,
    ...(actor === undefined ? {} : { actor }),
    ...(traceparent === undefined ? {} : { traceparent }),
    // The log stores the data as JSON.
    data: event.data as Schema.Json
  }
}

/** Reads the category, with which the type begins. */
const categoryOf = ({ type }: CloudEvent): string => type.slice(0, type.indexOf("."))

export const toEvent = (event: CloudEvent): PublishedEvent => {
  const { actor, traceparent } = event
  return {
    eventId: event.id,
    type: event.type,
    position: BigInt(event.sequence),
    streamId: StreamId.make(categoryOf(event), event.subject),
    version: event.streamversion,
    recordedAt: event.time,
    ...(actor === undefined ? {} : { actor }),
    correlationId: event.correlationid,
    causationId: event.causationid,
    ...(traceparent === undefined ? {} : { traceparent }),
    data: event.data
  }
}
