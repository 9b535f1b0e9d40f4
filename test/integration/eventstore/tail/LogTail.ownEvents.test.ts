/** What a process appends reaches its readers from memory, exactly as it is stored, whoever else appends meanwhile. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Latch, Layer, Logger, Stream } from "effect"
import { EventStore, type RecordedEvent } from "../../../../src/eventstore/EventStore.ts"
import * as MemoryEventStore from "../../../../src/eventstore/MemoryEventStore.ts"
import { LogTail } from "../../../../src/eventstore/tail/LogTail.ts"
import {
  append as appendEntries,
  entry,
  equal,
  newStream,
  readFrom
} from "../../../../src/testing/EventStoreEntries.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { restoreLog } from "../../../../harness/faults/RestoredLog.ts"
import { logLayer } from "../../../../harness/views/LogLayer.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"

/** Reads the log from its beginning up to this position, as a reader of the tail gets it. */
const tailed = Effect.fnUntraced(function* (head: bigint) {
  const tail = yield* LogTail
  const events: Array<RecordedEvent> = []
  yield* tail.pages(0n).pipe(
    Stream.takeUntil((page) => page[page.length - 1]!.position >= head),
    Stream.runForEach((page) => Effect.sync(() => events.push(...page)))
  )
  return events
})

/** A process whose reads of the log pass `read` first. */
const process = (url: string, read: Effect.Effect<void> = Effect.void) =>
  LogTail.layer.pipe(
    Layer.provideMerge(
      Layer.effect(
        EventStore,
        Effect.map(EventStore, (store) =>
          EventStore.of({ ...store, readAll: (options) => Effect.andThen(read, store.readAll(options)) })
        )
      )
    ),
    Layer.provideMerge(logLayer(url))
  )

describe("own events", () => {
  it.live("reach the readers while the log can't be read, equal to what is stored", () =>
    Effect.gen(function* () {
      const mayRead = yield* Deferred.make<void>()
      const services = yield* Layer.build(process(yield* freshDatabase, Deferred.await(mayRead)))
      yield* Effect.gen(function* () {
        // A reader that is there before the first event needs nothing but what is appended.
        const reader = yield* Effect.forkChild(tailed(200n), { startImmediately: true })
        yield* append(yield* orderLives(60))
        const events = yield* Fiber.join(reader)
        yield* Deferred.succeed(mayRead, undefined)
        equal(events, (yield* readFrom(0n)).slice(0, events.length))
      }).pipe(Effect.provide(services))
    }).pipe(Effect.scoped)
  )

  it.live("and those of another process come once each, in order, when both append at the same time", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const processes = [yield* Layer.build(process(url)), yield* Layer.build(process(url))]
      const writer = Effect.gen(function* () {
        for (let round = 0; round < 25; round++) {
          const entries = Array.from({ length: 1 + (round % 3) }, () =>
            entry(newStream(), 0, { events: 1 + (round % 2) })
          )
          // Several calls are in flight at once, so that they take both lanes.
          yield* Effect.forEach(entries, (one) => appendEntries(one), { concurrency: "unbounded", discard: true })
        }
      })
      const writers = processes.flatMap((services) => [writer, writer, writer].map(Effect.provide(services)))
      yield* Effect.all(writers, { concurrency: "unbounded", discard: true })
      for (const services of processes) {
        yield* Effect.gen(function* () {
          const { position } = yield* Effect.flatMap(EventStore, (store) => store.head)
          equal(yield* tailed(position), yield* readFrom(0n))
        }).pipe(Effect.provide(services))
      }
    }).pipe(Effect.scoped)
  )

  it.live("that continue a log which was replaced and has grown since do not hide that", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const mayRead = yield* Latch.make(true)
      const [here, other] = [yield* Layer.build(process(url, mayRead.await)), yield* Layer.build(logLayer(url))]
      const appendOne = Effect.suspend(() => appendEntries(entry(newStream(), 0))).pipe(
        Effect.andThen(Effect.flatMap(EventStore, (store) => store.head))
      )
      yield* Effect.gen(function* () {
        const tail = yield* LogTail
        const timeline = yield* tail.timeline
        for (let event = 0; event < 5; event++) yield* appendOne
        const { position: old } = yield* appendOne
        yield* tail.page(old - 1n, 1)
        yield* mayRead.close
        yield* restoreLog(old - 2n)
        for (let event = 0; event < 2; event++) yield* Effect.provide(appendOne, other)
        // The next own event has the position that follows, as if nothing had happened.
        assert.strictEqual((yield* appendOne).position, old + 1n)
        assert.strictEqual(yield* tail.position, old + 1n)
        yield* mayRead.open
        yield* tail.timeline.pipe(Effect.delay("10 millis"), Effect.repeat({ until: (now) => now !== timeline }))
        equal(yield* tailed(old + 1n), yield* readFrom(0n))
      }).pipe(Effect.provide(here))
    }).pipe(Effect.scoped, Effect.provide(Logger.layer([])))
  )
})

it.live(
  "own events over a connection that replaced a lost one are taken only once the log was found to be the same",
  () =>
    Effect.gen(function* () {
      const memory = yield* Layer.build(MemoryEventStore.layer())
      const store = Context.get(memory, EventStore)
      const gate = Latch.makeUnsafe(true)
      let hand: Parameters<NonNullable<EventStore["Service"]["onAppended"]>>[0] = () => {}
      const services = yield* Layer.build(
        LogTail.layer.pipe(
          Layer.provideMerge(
            Layer.succeed(
              EventStore,
              EventStore.of({
                ...store,
                onAppended: (listener) => Effect.sync(() => void (hand = listener)),
                readAll: (options) => Effect.andThen(gate.await, store.readAll(options))
              })
            )
          )
        )
      )
      yield* Effect.gen(function* () {
        const tail = yield* LogTail
        yield* appendEntries(entry(newStream(), 0))
        yield* tailed(1n)
        gate.closeUnsafe()
        // This one was appended to a server that is gone, and in its place another process has appended to the next one.
        const [first] = yield* store.readAll({ after: 0n, limit: 1 })
        hand([{ ...first!, position: 2n, eventId: crypto.randomUUID() }], 100, 0)
        assert.strictEqual(yield* tail.position, 2n)
        yield* appendEntries(entry(newStream(), 0), entry(newStream(), 0))
        const [third] = yield* store.readAll({ after: 2n, limit: 1 })
        hand([third!], 100, 1)
        assert.strictEqual(yield* tail.position, 2n)
        gate.openUnsafe()
        yield* tail.timeline.pipe(Effect.delay("1 millis"), Effect.repeat({ until: (timeline) => timeline === 1 }))
      }).pipe(Effect.provide(services))
    }).pipe(Effect.scoped, Effect.provide(Logger.layer([])))
)
