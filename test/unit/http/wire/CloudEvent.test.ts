import { assert, describe, it } from "@effect/vitest"
import type { RecordedEvent } from "../../../../src/eventstore/EventStore.ts"
import * as StreamId from "../../../../src/eventstore/StreamId.ts"
import * as PublishedEvent from "../../../../src/aggregate/PublishedEvent.ts"
import * as CloudEvent from "../../../../src/http/wire/CloudEvent.ts"

const recorded: RecordedEvent = {
  position: 1042n,
  streamId: StreamId.make("order", "ord_1"),
  version: 5,
  eventId: "e",
  type: "ItemsShipped",
  schemaVersion: 1,
  data: { items: [] },
  metadata: { commandId: "c", correlationId: "r", causationId: "c", traceparent: "00-a-b-01", actor: "operator" },
  recordedAt: "2026-11-21T23:55:00.123Z"
}

const fromRecorded = (event: RecordedEvent) => CloudEvent.fromEvent(PublishedEvent.fromRecorded(event))

describe("an event as a CloudEvent", () => {
  it("has every attribute of the contract and who did it, and no more", () => {
    assert.deepStrictEqual(fromRecorded(recorded), {
      specversion: "1.0",
      id: "e",
      source: "/orders",
      type: "order.items-shipped.v1",
      subject: "ord_1",
      time: "2026-11-21T23:55:00.123Z",
      datacontenttype: "application/json",
      sequence: "00000000000000001042",
      partitionkey: "ord_1",
      streamversion: 5,
      correlationid: "r",
      causationid: "c",
      actor: "operator",
      traceparent: "00-a-b-01",
      data: { items: [] }
    })
  })

  it("is read back by clients as the event it was", () => {
    const { actor: _, ...anonymous } = recorded.metadata
    for (const metadata of [recorded.metadata, anonymous]) {
      const event = PublishedEvent.fromRecorded({ ...recorded, metadata })
      assert.deepStrictEqual(CloudEvent.toEvent(CloudEvent.fromEvent(event)), event)
    }
  })

  it("names its source after its category, and leaves out a trace that is not there", () => {
    const { traceparent: _, ...metadata } = recorded.metadata
    const streamId = StreamId.make("product", "my-mug")
    const event = fromRecorded({ ...recorded, streamId, type: "ProductSaved", metadata })
    assert.deepStrictEqual([event.source, event.type, event.subject], ["/products", "product.saved.v1", "my-mug"])
    assert.notProperty(event, "traceparent")
  })
})
