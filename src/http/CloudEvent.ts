/** An event as the outside sees it: CloudEvents 1.0. Pure. */
import { Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"
import type { RecordedEvent } from "../eventlog/RecordedEvent.ts"
import * as StreamId from "../eventlog/StreamId.ts"
import { wireType } from "../eventsourcing/WireType.ts"

export const CloudEvent = Schema.Struct({
  specversion: Schema.Literal("1.0"),
  /** UUIDv7 of the event. */
  id: Schema.String,
  source: Schema.String,
  type: Schema.String,
  subject: Schema.String,
  time: Schema.String,
  datacontenttype: Schema.Literal("application/json"),
  /** The position in the log, 20 digits, so that text order is position order. */
  sequence: Schema.String,
  partitionkey: Schema.String,
  /** The number in its stream, from 1. */
  streamversion: Schema.Int,
  correlationid: Schema.String,
  causationid: Schema.String,
  traceparent: Schema.optionalKey(Schema.String),
  data: Schema.Json
}).annotate({ identifier: "CloudEvent" })
export type CloudEvent = typeof CloudEvent.Type

export const CloudEventBatch = Schema.Array(CloudEvent).pipe(
  HttpApiSchema.asJson({ contentType: "application/cloudevents-batch+json" })
)

export const fromRecorded = (event: RecordedEvent): CloudEvent => {
  const category = StreamId.category(event.streamId)
  const subject = StreamId.id(event.streamId)
  const { causationId, correlationId, traceparent } = event.metadata
  return {
    specversion: "1.0",
    id: event.eventId,
    source: `/${category}s`,
    type: wireType(category, event.type, event.schemaVersion),
    subject,
    time: event.recordedAt,
    datacontenttype: "application/json",
    sequence: String(event.position).padStart(20, "0"),
    partitionkey: subject,
    streamversion: event.version,
    correlationid: correlationId,
    causationid: causationId,
    ...(traceparent === undefined ? {} : { traceparent }),
    // Stored as JSON by the log.
    data: event.data as Schema.Json
  }
}
