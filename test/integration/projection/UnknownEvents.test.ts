/** Events that a newer program has stored: an older one sets their streams aside, and a newer one brings them back. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Aggregates } from "../../../src/aggregate/Aggregates.ts"
import { UnknownEvent } from "../../../src/aggregate/EventCodec.ts"
import { Snapshots } from "../../../src/aggregate/Snapshots.ts"
import * as StreamId from "../../../src/eventstore/StreamId.ts"
import { OrderAggregate } from "../../../src/order/OrderAggregate.ts"
import { OrderId } from "../../../src/order/OrderId.ts"
import type { Projection } from "../../../src/projection/Projection.ts"
import * as ParkedRows from "../../../src/projection/parking/ParkedRows.ts"
import { ParkedStreams } from "../../../src/projection/parking/ParkedStreams.ts"
import { OrderViewProjection } from "../../../src/views/order/OrderViewProjection.ts"
import { append, orderLives } from "../../../harness/orders/OrderLives.ts"
import { silent, viewReaches } from "../../../harness/views/ViewSteps.ts"
import { operatedLayer } from "../../../harness/views/ViewLayer.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"

const type = "OrderTeleported"

/** The order view of a program that knows one more type of event, which changes nothing in the view. */
const newer: Projection = {
  ...OrderViewProjection,
  handle: (sql, events, slot) =>
    Effect.forEach(
      events,
      (event) =>
        event.type === type
          ? OrderViewProjection.skip!(sql, event, slot)
          : OrderViewProjection.handle(sql, [event], slot),
      { discard: true }
    )
}

it.live(
  "a stream with a type that only a newer program knows is parked, named, answers 503, and comes back with it",
  () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const entries = yield* orderLives(3)
      const { events, expected, metadata, streamId } = entries.findLast(
        (entry) => entry.streamId !== entries[0]!.streamId
      )!
      const unknown = {
        streamId,
        expected: expected + events.length,
        commandId: crypto.randomUUID(),
        events: [{ eventId: crypto.randomUUID(), type, schemaVersion: 1, data: {} }],
        metadata
      }
      const head = yield* Effect.gen(function* () {
        const parkedStreams = yield* ParkedStreams
        const head = yield* append([...entries, unknown])
        yield* viewReaches(head)
        const [parked, ...others] = yield* parkedStreams.list
        assert.deepStrictEqual(others, [])
        assert.containSubset(parked, { streamId, version: unknown.expected + 1 })
        assert.match(parked!.reason, /^This program does not know event type OrderTeleported at schema version 1, so/)
        const aggregates = yield* Aggregates
        const read = aggregates.read(OrderAggregate, OrderId.make(StreamId.id(streamId)))
        // However often it is asked: it is no defect of this program, so the breaker has nothing to do with it.
        for (let times = 0; times < 7; times++) {
          const refused = yield* Effect.flip(read)
          assert.containSubset(refused, { _tag: "AggregateSuspended", unknownEvent: type })
          assert.include(refused.message, "A newer program has stored an event of type OrderTeleported")
        }
        return head
      }).pipe(
        Effect.provide(
          Aggregates.layer.pipe(Layer.provide(Snapshots.layerMemory), Layer.provideMerge(operatedLayer(url)))
        )
      )
      yield* Effect.gen(function* () {
        const parkedStreams = yield* ParkedStreams
        yield* viewReaches(head)
        yield* parkedStreams.list.pipe(
          Effect.delay("20 millis"),
          Effect.repeat({ until: (parked) => parked.length === 0 })
        )
      }).pipe(Effect.provide(operatedLayer(url, newer)))
    }).pipe(Effect.provide(silent))
)

it("the reason of a stream that is parked for an unknown event begins as the message of that error", () => {
  assert.isTrue(new UnknownEvent("Any", 1).message.startsWith(ParkedRows.unknownReason))
})
