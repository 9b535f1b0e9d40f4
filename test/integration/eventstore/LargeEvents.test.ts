import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import { randomBytes } from "node:crypto"
import { Database } from "../../../src/database/Database.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import { LogTail } from "../../../src/eventstore/tail/LogTail.ts"
import * as MemoryEventStore from "../../../src/eventstore/MemoryEventStore.ts"
import {
  append,
  entry,
  event,
  newStream,
  readFrom,
  readWholeStream,
  tags
} from "../../../src/testing/EventStoreEntries.ts"
import { freshLogLayer } from "../../../harness/views/LogLayer.ts"
import * as FaultyEventStore from "../../../src/testing/FaultyEventStore.ts"

const kibibytes = (count: number) => ({
  "that compress well": { note: "long ".repeat((count * 1024) / 5) },
  "that don't compress": { note: randomBytes(count * 768).toString("base64") }
})

/** Appends one event per statement, each followed by a small one. */
const appendAll = Effect.fnUntraced(function* (contents: ReadonlyArray<unknown>) {
  for (const data of contents) {
    const outcomes = yield* append(entry(newStream(), 0, { events: [event(data)] }), entry(newStream(), 0))
    assert.deepStrictEqual(tags(outcomes), ["Accepted", "Accepted"])
  }
})

for (const kind of ["that compress well", "that don't compress"] as const) {
  it.live(`a page of large events ${kind} has few of them, but at least two`, () =>
    Effect.gen(function* () {
      const { readAll } = yield* EventStore
      const contents = [600, 600, 600, 2_000, 2_000, 1].map((size) => kibibytes(size)[kind])
      yield* appendAll(contents)
      const positionsOf = (after: bigint) =>
        Effect.map(readAll({ after, limit: 500 }), (page) => page.map(({ position }) => Number(position)))
      assert.deepStrictEqual(yield* positionsOf(0n), [1, 2, 3])
      assert.deepStrictEqual(yield* positionsOf(4n), [5, 6, 7])
      assert.deepStrictEqual(yield* positionsOf(6n), [7, 8])
      assert.deepStrictEqual(yield* positionsOf(8n), [9, 10])
      assert.deepStrictEqual(yield* positionsOf(9n), [10, 11, 12])
      assert.deepStrictEqual(
        (yield* readFrom(0n)).filter((_, index) => index % 2 === 0).map(({ data }) => data),
        contents
      )
    }).pipe(Effect.provide(freshLogLayer()))
  )

  it.live(
    `a page of a stream of large events ${kind} has few of them, but at least two, and tells that there are more`,
    () =>
      Effect.gen(function* () {
        const { readStream } = yield* EventStore
        const contents = [600, 600, 600, 2_000, 2_000, 1].map((size) => kibibytes(size)[kind])
        const stream = newStream()
        yield* append(entry(newStream(), 0))
        for (const [version, data] of contents.entries()) {
          yield* append(entry(stream, version, { events: [event(data)] }), entry(newStream(), 0))
        }
        const pageAfter = (after: number, limit = 500) =>
          Effect.map(readStream(stream, { after, limit }), ({ events, hasMore }) => [
            ...events.map(({ version }) => version),
            hasMore ? "more" : "end"
          ])
        assert.deepStrictEqual(yield* pageAfter(0), [1, 2, "more"])
        assert.deepStrictEqual(yield* pageAfter(0, 1), [1, "more"])
        assert.deepStrictEqual(yield* pageAfter(3), [4, 5, "more"])
        assert.deepStrictEqual(yield* pageAfter(4), [5, 6, "end"])
        assert.deepStrictEqual(yield* pageAfter(5), [6, "end"])
        assert.deepStrictEqual(
          (yield* readWholeStream(stream)).map(({ data }) => data),
          contents
        )
      }).pipe(Effect.provide(freshLogLayer()))
  )
}

/**
 * Copies the only event to positions 2 to `last`, as if each copy had been appended; its data is not compressed anew.
 */
const copies = Effect.fnUntraced(function* (last: number) {
  const { reads: sql } = yield* Database
  yield* Effect.gen(function* () {
    yield* sql`SET LOCAL idle_in_transaction_session_timeout = 0`
    yield* sql`SET LOCAL statement_timeout = 0`
    yield* sql`INSERT INTO ordinal.events
      SELECT copy, stream_id || copy, version, gen_random_uuid(), type, schema_version, data, metadata, recorded_at
      FROM ordinal.events, generate_series(2, ${last}::integer) AS copy`
    yield* sql`UPDATE ordinal.log_head SET "position" = ${last}`
  }).pipe(sql.withTransaction)
})

it.live("a page of the log is read in time although many large events follow it", () =>
  Effect.gen(function* () {
    const { readAll } = yield* EventStore
    yield* append(entry(newStream(), 0, { events: [event(kibibytes(4_000)["that compress well"])] }))
    yield* copies(500)
    // A statement that decompressed all 500 events would run into its time limit.
    assert.lengthOf(yield* readAll({ after: 0n, limit: 500 }), 2)
  }).pipe(Effect.provide(freshLogLayer()))
)

it.live("the tail hands on large events as they are stored", () =>
  Effect.gen(function* () {
    const tail = yield* LogTail
    const following = yield* tail
      .pages(0n)
      .pipe(Stream.flattenArray, Stream.take(12), Stream.runCollect, Effect.forkChild({ startImmediately: true }))
    yield* appendAll([600, 600, 600, 2_000, 2_000, 1].map((size) => kibibytes(size)["that compress well"]))
    assert.deepStrictEqual(yield* Fiber.join(following), yield* readFrom(0n))
  }).pipe(Effect.provide(LogTail.layer.pipe(Layer.provideMerge(freshLogLayer()))))
)

/** An event store that cuts pages off after large events, as SQL does, and whose hints are lost. */
const cutAfterLarge = Layer.effect(
  EventStore,
  Effect.gen(function* () {
    const { inject, store } = FaultyEventStore.make(yield* EventStore, { losesHints: true })
    inject({
      readAll: Effect.map((events) =>
        events.slice(0, JSON.stringify(events[0]?.data ?? "").length < 1024 * 1024 ? 500 : 2)
      )
    })
    return store
  })
).pipe(Layer.provide(MemoryEventStore.layer()))

it.effect("the tail reads on at once after a page that was cut off, without a hint", () =>
  Effect.gen(function* () {
    const tail = yield* LogTail
    yield* append(entry(newStream(), 0, { events: [event({ note: "large ".repeat(200_000) })] }))
    yield* TestClock.adjust("500 millis")
    assert.strictEqual(yield* tail.position, 1n)
    yield* append(entry(newStream(), 0, { events: 4 }))
    yield* TestClock.adjust("500 millis")
    assert.strictEqual(yield* tail.position, 5n)
  }).pipe(Effect.provide(LogTail.layer.pipe(Layer.provideMerge(cutAfterLarge))))
)
