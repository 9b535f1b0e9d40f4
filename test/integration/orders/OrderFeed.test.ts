import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { type Entry, EventStore, type RecordedEvent } from "../../../src/eventstore/EventStore.ts"
import { LogTail } from "../../../src/eventstore/tail/LogTail.ts"
import * as ConsistencyToken from "../../../src/projection/consistency/ConsistencyToken.ts"
import * as PositionLatch from "../../../src/projection/consistency/PositionLatch.ts"
import * as OrderFeed from "../../../src/orders/OrderFeed.ts"
import type { Push } from "../../../src/orders/Subscription.ts"
import { append, entry, event, newStream } from "../../../src/testing/EventStoreEntries.ts"
import { memoryLayer } from "../../../harness/views/ViewLayer.ts"

const heartbeat = 15_000
const positions = (items: ReadonlyArray<Push>) =>
  items.map((item) => (item._tag === "Event" ? Number(item.event.position) : item._tag))

/** A feed over a real tail and a gate that the test opens. */
const open = Effect.fnUntraced(function* (options: Partial<OrderFeed.FeedOptions> = {}) {
  const tail = yield* LogTail
  const { logId } = yield* (yield* EventStore).head
  const gate = PositionLatch.make()
  const view = PositionLatch.make()
  const pull = yield* OrderFeed.pull(
    tail,
    gate,
    { position: Effect.sync(() => view.position()) },
    { after: 0n, logId, matches: () => true, heartbeat, pause: 0, ...options }
  )
  const begun = yield* pull
  assert.containSubset(begun, [{ _tag: "Heartbeat", position: options.after ?? 0n }])
  return { gate, view, pull }
})

/** Appends, and waits until this process has seen it. */
const appended = Effect.fnUntraced(function* (...entries: ReadonlyArray<Entry>) {
  yield* append(...entries)
  const { position } = yield* (yield* EventStore).head
  yield* (yield* LogTail).page(position - 1n, 1)
})

const hasEnded = <A, E>(fiber: Fiber.Fiber<A, E>) => fiber.pollUnsafe() !== undefined

describe("a feed of events", () => {
  it.effect("gives out what the gate lets through, and says what is ahead of the view", () =>
    Effect.gen(function* () {
      const { gate, pull, view } = yield* open()
      yield* appended(entry(newStream(), 0, { events: 6 }))
      view.advance(2n)
      gate.advance(3n)
      const items = yield* pull
      assert.deepStrictEqual(positions(items), [1, 2, 3])
      assert.deepStrictEqual(
        items.map((item) => item._tag === "Event" && item.ahead),
        [false, false, true]
      )
      const next = yield* Effect.forkChild(pull)
      yield* TestClock.adjust("1 seconds")
      assert.isFalse(hasEnded(next))
      gate.advance(6n)
      assert.deepStrictEqual(positions(yield* Fiber.join(next)), [4, 5, 6])
      assert.deepStrictEqual(positions(yield* pull), ["CaughtUp"])
    }).pipe(Effect.provide(memoryLayer))
  )

  it.effect("says every 15 s how far it is, whether or not anything matches, and loses nothing by it", () =>
    Effect.gen(function* () {
      let matches = false
      const { gate, pull } = yield* open({ matches: () => matches })
      gate.advance(100n)
      assert.deepStrictEqual(positions(yield* pull), ["CaughtUp"])
      yield* appended(entry(newStream(), 0, { events: 2 }))
      const beat = yield* Effect.forkChild(pull)
      yield* TestClock.adjust(heartbeat - 1)
      assert.isFalse(hasEnded(beat))
      yield* TestClock.adjust(1)
      assert.containSubset(yield* Fiber.join(beat), [{ _tag: "Heartbeat", position: 2n }])
      matches = true
      yield* appended(entry(newStream(), 0, { events: 1 }))
      assert.deepStrictEqual(positions(yield* pull), [3])
      yield* TestClock.adjust(heartbeat)
      assert.deepStrictEqual(positions(yield* pull), ["Heartbeat"])
    }).pipe(Effect.provide(memoryLayer))
  )

  it.effect("keeps its place when it beats while an event waits for the view", () =>
    Effect.gen(function* () {
      const { gate, pull } = yield* open()
      yield* pull
      yield* appended(entry(newStream(), 0, { events: 2 }))
      const beat = yield* Effect.forkChild(pull)
      yield* TestClock.adjust(heartbeat)
      assert.containSubset(yield* Fiber.join(beat), [{ _tag: "Heartbeat", position: 0n }])
      gate.advance(2n)
      assert.deepStrictEqual(positions(yield* pull), [1, 2])
    }).pipe(Effect.provide(memoryLayer))
  )

  it.effect("says first where it begins, by a token that a subscription may go on after", () =>
    Effect.gen(function* () {
      yield* appended(entry(newStream(), 0, { events: 3 }))
      const { gate, pull } = yield* open({ after: 2n })
      gate.advance(3n)
      const [third] = yield* pull
      const [{ eventId }] = yield* (yield* LogTail).page(2n, 1)
      const { logId } = yield* (yield* EventStore).head
      assert.deepStrictEqual([...positions([third]), third.token], [3, ConsistencyToken.format(logId, 3n, eventId)])
      const next = yield* Effect.forkChild(Effect.all([pull, pull]))
      yield* TestClock.adjust(heartbeat - 1)
      assert.isFalse(hasEnded(next))
      yield* TestClock.adjust(1)
      const rest = (yield* Fiber.join(next)).flat()
      assert.deepStrictEqual(positions(rest), ["CaughtUp", "Heartbeat"])
      assert.deepStrictEqual(
        rest.map(({ token }) => token),
        [third.token, third.token]
      )
    }).pipe(Effect.provide(memoryLayer))
  )

  it.effect("gives out no more than 128 events or 64 KiB at once, but always one", () =>
    Effect.gen(function* () {
      const { gate, pull } = yield* open()
      gate.advance(1000n)
      yield* appended(entry(newStream(), 0, { events: 300 }))
      const counts: Array<number> = []
      for (let pulls = 0; pulls < 5; pulls++) counts.push((yield* pull).length)
      assert.deepStrictEqual(counts, [16, 32, 64, 128, 60])
      yield* pull
      const large = (size: number) => entry(newStream(), 0, { events: [event({ text: "x".repeat(size) })] })
      yield* appended(large(300_000), large(25_000), large(25_000), large(25_000))
      const sliced: Array<Array<number | string>> = []
      while (sliced.flat().length < 4) sliced.push(positions(yield* pull))
      assert.deepStrictEqual(sliced, [[301], [302], [303, 304]])
    }).pipe(Effect.provide(memoryLayer))
  )

  it.effect(
    "gives out one event at once, and together what comes within the pause after it, which is longer after several",
    () =>
      Effect.gen(function* () {
        const { gate, pull } = yield* open({ pause: 10 })
        gate.advance(100n)
        yield* pull
        yield* appended(entry(newStream(), 0))
        assert.deepStrictEqual(positions(yield* pull), [1])
        const next = yield* Effect.forkChild(pull, { startImmediately: true })
        yield* appended(entry(newStream(), 0))
        yield* TestClock.adjust(1)
        yield* appended(entry(newStream(), 0, { events: 2 }))
        assert.isFalse(hasEnded(next))
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(positions(yield* Fiber.join(next)), [2, 3, 4])
        const last = yield* Effect.forkChild(pull, { startImmediately: true })
        yield* appended(entry(newStream(), 0))
        yield* TestClock.adjust(9)
        assert.isFalse(hasEnded(last))
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(positions(yield* Fiber.join(last)), [5])
      }).pipe(Effect.provide(memoryLayer))
  )

  it.effect("gives each reader its own slice of a log that grows, whatever it leaves out", () =>
    Effect.gen(function* () {
      const { gate, pull } = yield* open({ matches: (event: RecordedEvent) => event.position % 3n === 0n })
      gate.advance(1_000_000n)
      const seen: Array<number | string> = []
      for (let round = 0; round < 40; round++) {
        yield* appended(entry(newStream(), 0, { events: 1 + (round % 7) }))
        while (
          seen.filter((item) => item !== "CaughtUp").length <
          Math.floor(Number((yield* (yield* LogTail).position) / 3n))
        ) {
          seen.push(...positions(yield* pull))
        }
      }
      const events = seen.filter((item) => item !== "CaughtUp")
      assert.deepStrictEqual(
        events,
        events.map((_, index) => (index + 1) * 3)
      )
      assert.isAbove(events.length, 40)
    }).pipe(Effect.provide(memoryLayer))
  )
})
