import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { Broker, type BrokerRecord, BrokerUnavailable, type StoredRecord } from "../../../src/bus/Broker.ts"
import * as EventPublisher from "../../../src/bus/EventPublisher.ts"
import * as MemoryBroker from "../../../src/bus/MemoryBroker.ts"
import type { RecordedEvent } from "../../../src/eventstore/EventStore.ts"
import * as MemoryEventStore from "../../../src/eventstore/MemoryEventStore.ts"
import * as StreamId from "../../../src/eventstore/StreamId.ts"
import { PushedCloudEvent } from "../../../src/http/wire/PushMessage.ts"

const topic = { name: "orders", partitions: 3, replicationFactor: 1 }

/** Makes the events `from` to `to` of a log in which order `n` gets its event `m` at position `10 m + n`. */
const events = (from: number, to: number, note = ""): ReadonlyArray<RecordedEvent> =>
  Array.from({ length: to - from + 1 }, (_, index) => {
    const position = from + index
    return {
      position: BigInt(position),
      streamId: StreamId.make("order", `ord_${position % 10}`),
      version: Math.floor(position / 10) + 1,
      eventId: `${String(position).padStart(8, "0")}-0000-7000-8000-${note === "" ? "0".repeat(12) : "f".repeat(12)}`,
      type: "OrderConfirmed",
      schemaVersion: 1,
      data: { note },
      metadata: { commandId: "c", correlationId: "k", causationId: "u" },
      recordedAt: "2026-11-28T08:00:00.000Z"
    }
  })

type Fault = (send: Effect.Effect<void, unknown>, records: ReadonlyArray<BrokerRecord>) => Effect.Effect<void, unknown>

/** A broker whose next sends go wrong as `faults` say. */
const faulty = (options?: MemoryBroker.Options) => {
  const faults: Array<Fault> = []
  const broker = MemoryBroker.make(options)
  const send: typeof broker.send = (name, records) => {
    const fault = faults.shift()
    const sent = broker.send(name, records)
    // The faults below fail only as a broker does.
    return fault === undefined ? sent : (fault(sent, records) as typeof sent)
  }
  return { faults, broker, layer: Layer.merge(Layer.succeed(Broker, { ...broker, send }), MemoryEventStore.layer()) }
}

const unavailable = BrokerUnavailable.because("it is down")
const lost: Fault = () => Effect.fail(unavailable)
const answerLost: Fault = (send) => Effect.andThen(send, Effect.fail(unavailable))

const cloudEvents = ({ value }: StoredRecord) =>
  Schema.decodeUnknownSync(PushedCloudEvent)(JSON.parse(new TextDecoder().decode(value)))

const published = Effect.fnUntraced(function* () {
  const records = yield* (yield* Broker).last("orders", 10_000)
  const all = records.map(cloudEvents)
  for (let order = 0; order < 10; order++) {
    const versions = all.filter(({ subject }) => subject === `ord_${order}`).map(({ streamversion }) => streamversion)
    assert.deepStrictEqual(
      versions,
      versions.toSorted((a, b) => a - b)
    )
  }
  return all.map(({ sequence }) => Number(sequence)).sort((a, b) => a - b)
})

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)

describe("EventPublisher", () => {
  it.effect("sends events as CloudEvents under the order's id, with the position to go on after", () => {
    const { layer } = faulty()
    return Effect.gen(function* () {
      const publisher = yield* EventPublisher.make(topic)
      yield* publisher.publish(events(1, 1))
      const [record] = yield* (yield* Broker).last("orders", 10)
      assert.strictEqual(record?.key, "ord_1")
      const cloudEvent = cloudEvents(record!)
      assert.strictEqual(cloudEvent.type, "order.confirmed.v1")
      assert.match(cloudEvent.after ?? "", /^1\.[0-9a-f]{12}$/)
      assert.deepStrictEqual(record?.headers, {
        "content-type": "application/cloudevents+json",
        "ordinal-position": cloudEvent.after ?? ""
      })
    }).pipe(Effect.provide(layer))
  })

  it.effect("sends again what a broker has lost, and nothing that it has stored, however a send failed", () => {
    const { broker, faults, layer } = faulty()
    /** Some partitions have stored their share. */
    const partly: Fault = (_, records) =>
      Effect.andThen(
        broker.send(
          "orders",
          records.filter(({ key }) => key < "ord_5")
        ),
        Effect.fail(unavailable)
      )
    return Effect.gen(function* () {
      const publisher = yield* EventPublisher.make(topic)
      for (const [index, fault] of [lost, answerLost, partly].entries()) {
        faults.push(fault, fault)
        const batch = events(100 * index + 1, 100 * index + 100)
        assert.strictEqual(yield* Effect.flip(publisher.publish(batch)), unavailable)
        assert.strictEqual(yield* Effect.flip(publisher.publish(batch.slice(0, 50))), unavailable)
        yield* publisher.publish(batch.slice(0, 70))
        yield* publisher.publish(batch.slice(70))
      }
      assert.deepStrictEqual(yield* published(), numbers(1, 300))
    }).pipe(Effect.provide(layer))
  })

  it.effect("publishes nothing twice after a crash behind the acknowledgement, however the events are cut", () => {
    const { layer } = faulty()
    return Effect.gen(function* () {
      yield* (yield* EventPublisher.make(topic)).publish(events(1, 200))
      const successor = yield* EventPublisher.make(topic)
      yield* successor.publish(events(51, 60))
      yield* successor.publish(events(61, 210))
      // A checkpoint that was not stored brings the same events again.
      yield* successor.publish(events(61, 210))
      assert.deepStrictEqual(yield* published(), numbers(1, 210))
    }).pipe(Effect.provide(layer))
  })

  it.effect("looks again once another process may have published", () => {
    const { layer } = faulty()
    return Effect.gen(function* () {
      const [one, other] = [yield* EventPublisher.make(topic), yield* EventPublisher.make(topic)]
      yield* one.publish(events(1, 10))
      yield* other.publish(events(11, 20))
      yield* one.forget
      yield* one.publish(events(11, 30))
      assert.deepStrictEqual(yield* published(), numbers(1, 30))
    }).pipe(Effect.provide(layer))
  })

  it.effect("publishes the events that a restored log has at positions which were published before", () => {
    const { layer } = faulty()
    return Effect.gen(function* () {
      yield* (yield* EventPublisher.make(topic)).publish(events(1, 20))
      yield* (yield* EventPublisher.make(topic)).publish(events(11, 20, "restored"))
      const records = yield* (yield* Broker).last("orders", 100)
      assert.lengthOf(new Set(records.map(cloudEvents).map(({ id }) => id)), 30)
    }).pipe(Effect.provide(layer))
  })

  it.effect("fails for an event that is too large, and publishes the others once", () => {
    const { layer } = faulty({ maxRecordBytes: 2_000 })
    return Effect.gen(function* () {
      const publisher = yield* EventPublisher.make(topic)
      const [large] = events(5, 5, "x".repeat(3_000))
      const refused = yield* Effect.flip(publisher.publish([...events(1, 4), large!, ...events(6, 9)]))
      assert.strictEqual(refused._tag, "RecordRefused")
      yield* publisher.publish(events(1, 4))
      const alone = yield* Effect.flip(publisher.publish([large!]))
      assert.strictEqual(alone.message, "The broker refused the record of the key ord_5: it has more than 2000 bytes.")
      yield* publisher.publish(events(1, 4))
      yield* publisher.publish(events(6, 9))
      assert.deepStrictEqual(yield* published(), [1, 2, 3, 4, 6, 7, 8, 9])
    }).pipe(Effect.provide(layer))
  })
})
