/** What readers see, and what holds for the log as a whole. */
import { assert } from "@effect/vitest"
import { Array as Arr, Effect, PubSub } from "effect"
import { EventStore, type Outcome } from "../eventstore/EventStore.ts"
import type * as StreamId from "../eventstore/StreamId.ts"
import { append, entry, equal, newStream, readFrom } from "./EventStoreEntries.ts"
import * as EventStoreModel from "./EventStoreModel.ts"

const verdict = (outcome: Outcome): EventStoreModel.Verdict => {
  switch (outcome._tag) {
    case "Accepted":
    case "Duplicate":
      return [outcome._tag, outcome.version, outcome.position]
    case "Conflict":
      return [outcome._tag, outcome.version]
    case "Reused":
    case "Refused":
      return [outcome._tag]
  }
}

export const readCases: Record<string, Effect.Effect<unknown, unknown, EventStore>> = {
  "reads streams and the log in pages, and nothing beyond their end": Effect.gen(function* () {
    const log = yield* EventStore
    const { position: start } = yield* log.head
    const stream = newStream()
    yield* append(entry(stream, 0, { events: 7 }), entry(newStream(), 0, { events: 600 }))
    const page = yield* log.readStream(stream, { after: 2, limit: 3 })
    equal(
      page.map(({ version }) => version),
      [3, 4, 5]
    )
    equal(yield* log.readStream(stream, { after: 7, limit: 10 }), [])
    equal(yield* log.readStream(newStream(), { after: 0, limit: 10 }), [])
    assert.lengthOf(yield* readFrom(start, 100), 607)
    assert.lengthOf(yield* log.readAll({ after: start, limit: 10_000 }), 500)
  }),

  "tells its head, its identity and the version of each stream": Effect.gen(function* () {
    const log = yield* EventStore
    const before = yield* log.head
    const streams = Array.from({ length: 600 }, newStream)
    yield* append(...streams.slice(0, 400).map((stream, index) => entry(stream, 0, { events: (index % 3) + 1 })))
    const asked = yield* Effect.forEach(streams, (stream) => log.currentVersion(stream), { concurrency: "unbounded" })
    equal(
      asked,
      streams.map((_, index) => (index < 400 ? (index % 3) + 1 : 0))
    )
    const after = yield* log.head
    assert.strictEqual(after.logId, before.logId)
    assert.match(after.logId, /^[0-9a-f-]{36}$/)
    assert.strictEqual(after.position - before.position, BigInt(asked.reduce((sum, version) => sum + version, 0)))
  }),

  "gives concurrent writers positions without gaps and times that never go back": Effect.gen(function* () {
    const log = yield* EventStore
    const { position: start } = yield* log.head
    const shared = Array.from({ length: 5 }, newStream)
    const writer = (stream: StreamId.StreamId) =>
      Effect.gen(function* () {
        let expected = 0
        for (let round = 0; round < 10; round++) {
          const [outcome] = yield* append(entry(stream, expected, { events: 1 + (round % 3) }))
          if (outcome?._tag === "Accepted" || outcome?._tag === "Conflict") expected = outcome.version
        }
      })
    yield* Effect.forEach(
      Arr.makeBy(40, (index) => shared[index % 5] ?? newStream()),
      writer,
      {
        concurrency: "unbounded",
        discard: true
      }
    )
    const recorded = yield* readFrom(start)
    assert.strictEqual((yield* log.head).position, start + BigInt(recorded.length))
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
      const log = yield* EventStore
      const hints = yield* PubSub.subscribe(log.grown)
      yield* append(entry(newStream(), 0))
      yield* PubSub.take(hints)
    })
  ),

  "agrees with the model on random batches": Effect.gen(function* () {
    const log = yield* EventStore
    const first = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))
    for (let seed = first; seed < first + 10; seed++) {
      const { position: start } = yield* log.head
      const model = EventStoreModel.makeModel(start)
      const nextBatch = EventStoreModel.makeBatches(seed)
      for (let batch = 0; batch < 25; batch++) {
        const entries = nextBatch(model.version)
        const outcomes = yield* append(...entries)
        const verdicts = outcomes.map(verdict)
        equal(verdicts, model.append(entries), `SEED=${seed}, batch ${batch}`)
      }
      const stored = (yield* readFrom(start)).map(({ streamId, version, eventId }) => ({ streamId, version, eventId }))
      equal(stored, model.stored, `SEED=${seed}`)
    }
  })
}
