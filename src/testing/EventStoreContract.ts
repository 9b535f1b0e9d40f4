/**
 * Tests what every implementation of `EventStore` must do: `EventStoreContract.suite(layer, "postgres")`.
 *
 * Each case uses streams of its own, so the log may hold other events; nobody else may append while the suite runs.
 */
import { assert, describe, layer as withLayer } from "@effect/vitest"
import { Array as Arr, Effect, type Layer, PubSub, Random } from "effect"
import { EventStore, maxPageSize, type RecordedEvent } from "../eventstore/EventStore.ts"
import type * as StreamId from "../eventstore/StreamId.ts"
import { appendCases } from "./EventStoreAppendCases.ts"
import { append, entry, equal, event, newStream, readFrom } from "./EventStoreEntries.ts"
import { guardCases } from "./EventStoreGuardCases.ts"
import * as EventStoreModel from "./EventStoreModel.ts"

/** These cases are about reading, and about the log as a whole. */
const logCases: Record<string, Effect.Effect<unknown, unknown, EventStore>> = {
  "reads streams and the log in pages, and nothing beyond their end": Effect.gen(function* () {
    const store = yield* EventStore
    const { position: start } = yield* store.head
    const stream = newStream()
    yield* append(entry(stream, 0, { events: 7 }), entry(newStream(), 0, { events: 600 }))
    for (const [after, limit, versions, hasMore] of [
      [2, 3, [3, 4, 5], true],
      [4, 3, [5, 6, 7], false],
      [5, 500, [6, 7], false],
      [7, 10, [], false]
    ] as const) {
      const page = yield* store.readStream(stream, { after, limit })
      equal([page.events.map(({ version }) => version), page.hasMore], [versions, hasMore])
    }
    equal(yield* store.readStream(newStream(), { after: 0, limit: 10 }), { events: [], hasMore: false })
    assert.lengthOf(yield* readFrom(start, 100), 607)
    assert.lengthOf(yield* store.readAll({ after: start, limit: 10_000 }), maxPageSize)
  }),

  "tells its head, its identity and the version of each stream": Effect.gen(function* () {
    const store = yield* EventStore
    const before = yield* store.head
    const streams = Array.from({ length: 600 }, newStream)
    yield* append(...streams.slice(0, 400).map((stream, index) => entry(stream, 0, { events: (index % 3) + 1 })))
    const asked = yield* Effect.forEach(streams, (stream) => store.currentVersion(stream), { concurrency: "unbounded" })
    equal(
      asked,
      streams.map((_, index) => (index < 400 ? (index % 3) + 1 : 0))
    )
    const after = yield* store.head
    assert.strictEqual(after.logId, before.logId)
    assert.match(after.logId, /^[0-9a-f-]{36}$/)
    assert.strictEqual(after.position - before.position, BigInt(asked.reduce((sum, version) => sum + version, 0)))
  }),

  "gives concurrent writers positions without gaps and times that never go back": Effect.gen(function* () {
    const store = yield* EventStore
    const { position: start } = yield* store.head
    const shared = Array.from({ length: 5 }, newStream)
    const writer = Effect.fnUntraced(function* (stream: StreamId.StreamId) {
      let expected = 0
      for (let round = 0; round < 10; round++) {
        const [outcome] = yield* append(entry(stream, expected, { events: 1 + (round % 3) }))
        if (outcome?._tag === "Accepted" || outcome?._tag === "Conflict") expected = outcome.version
      }
    })
    const streams = Arr.makeBy(40, (index) => shared[index % 5] ?? newStream())
    yield* Effect.forEach(streams, writer, { concurrency: "unbounded", discard: true })
    const recorded = yield* readFrom(start)
    assert.strictEqual((yield* store.head).position, start + BigInt(recorded.length))
    for (const [earlier, later] of Arr.zip(recorded, recorded.slice(1))) {
      assert.isAtLeast(Date.parse(later.recordedAt), Date.parse(earlier.recordedAt))
    }
    for (const stream of shared) {
      const versions = recorded.filter(({ streamId }) => streamId === stream).map(({ version }) => version)
      equal(
        versions,
        Arr.makeBy(versions.length, (index) => index + 1)
      )
    }
  }),

  "publishes that it has grown": Effect.scoped(
    Effect.gen(function* () {
      const store = yield* EventStore
      const hints = yield* PubSub.subscribe(store.grown)
      yield* append(entry(newStream(), 0))
      yield* PubSub.take(hints)
    })
  ),

  "hands a listener what it has accepted, as it is stored, if it has listeners at all": Effect.scoped(
    Effect.gen(function* () {
      const store = yield* EventStore
      if (store.onAppended === undefined) return
      const { position: start } = yield* store.head
      const heard: Array<RecordedEvent> = []
      yield* store.onAppended((events) => heard.push(...events))
      const stream = newStream()
      const keyed = entry(stream, 0, { events: 2, fingerprint: "same" })
      const data = { text: "ä\n", amount: 12_300, none: null, list: [1.5, { deep: [true] }], z: "", a: "" }
      yield* append(keyed, entry(newStream(), 7), entry(stream, 2, { events: [event(data), event()] }))
      // A twin has stored these: what the caller holds may not be what is stored.
      yield* append({ ...keyed, events: [event(), event()] })
      yield* append(entry(newStream(), 0, { events: [] }), entry(newStream(), 0))
      equal(heard, yield* readFrom(start))
      assert.lengthOf(heard, 5)
    })
  ),

  "agrees with the model on random batches": Effect.gen(function* () {
    const store = yield* EventStore
    const first = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
    for (let seed = first; seed < first + 10; seed++) {
      const { position: start } = yield* store.head
      const model = EventStoreModel.make(start)
      const nextBatch = yield* EventStoreModel.randomBatches.pipe(Random.withSeed(seed))
      for (let batch = 0; batch < 25; batch++) {
        const entries = nextBatch(model.version)
        const outcomes = yield* append(...entries)
        equal(outcomes.map(EventStoreModel.toModelOutcome), model.append(entries), `SEED=${seed}, batch ${batch}`)
      }
      const stored = (yield* readFrom(start)).map(({ streamId, version, eventId }) => ({ streamId, version, eventId }))
      equal(stored, model.stored, `SEED=${seed}`)
    }
  })
}

/**
 * Registers all cases as tests of `layer`, which is built once for all of them. Set `SEED` to the number that a failed
 * comparison with the model printed, and the same batches are appended again.
 */
export const suite = <E>(layer: Layer.Layer<EventStore, E>, name = "an event store"): void => {
  describe(`EventStore contract: ${name}`, () => {
    withLayer(layer, { excludeTestServices: true, timeout: "60 seconds" })((it) => {
      for (const [sentence, test] of Object.entries({ ...appendCases, ...guardCases, ...logCases }))
        it.effect(sentence, () => test)
    })
  })
}
