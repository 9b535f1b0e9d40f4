/** Feeds of one stream or one customer: what concerns others costs them nothing, and they miss nothing by it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { type Entry, EventStore, type RecordedEvent } from "../../../src/eventstore/EventStore.ts"
import type { StreamOrOwner } from "../../../src/eventstore/tail/EventWaiters.ts"
import { LogTail } from "../../../src/eventstore/tail/LogTail.ts"
import * as PositionLatch from "../../../src/projection/consistency/PositionLatch.ts"
import * as OrderFeed from "../../../src/orders/OrderFeed.ts"
import type { Push } from "../../../src/orders/Subscription.ts"
import { append, entry, newStream } from "../../../src/testing/EventStoreEntries.ts"
import { memoryLayer } from "../../../harness/views/ViewLayer.ts"

const heartbeat = 15_000

const about = (interest: StreamOrOwner) => (event: RecordedEvent) =>
  (interest.streamId === undefined || event.streamId === interest.streamId) &&
  (interest.owner === undefined || event.metadata.customerId === interest.owner)

/** A feed that nothing holds back, and how often it has asked for a page. */
const open = Effect.fnUntraced(function* (interest: StreamOrOwner, after = 0n) {
  const tail = yield* LogTail
  const gate = PositionLatch.make()
  gate.advance(1_000_000n)
  let pages = 0
  const counted = LogTail.of({ ...tail, page: (...asked) => Effect.suspend(() => (pages++, tail.page(...asked))) })
  const queries = { position: Effect.succeed(1_000_000n) }
  const { logId } = yield* (yield* EventStore).head
  const options = { after, logId, matches: about(interest), interest, heartbeat, pause: 0 }
  const pull = yield* OrderFeed.pull(counted, gate, queries, options)
  // The first push tells where the feed begins; a position that is not there yet is waited for.
  if (after === 0n) yield* pull
  return { pull, pages: () => pages }
})

const positions = (items: ReadonlyArray<Push>) =>
  items.map((item) => (item._tag === "Event" ? Number(item.event.position) : item._tag))

/** Appends, and waits until this process has seen it; the position of the last event. */
const appended = Effect.fnUntraced(function* (...entries: ReadonlyArray<Entry>) {
  yield* append(...entries)
  const { position } = yield* (yield* EventStore).head
  yield* (yield* LogTail).page(position - 1n, 1)
  return position
})

const ofCustomer = (customerId: string, events = 1): Entry => {
  const made = entry(newStream(), 0, { events })
  return { ...made, metadata: { ...made.metadata, customerId } }
}

describe("a feed of one customer or one stream", () => {
  it.effect("is not woken by the events of others, and beats at where they ended", () =>
    Effect.gen(function* () {
      const { pages, pull } = yield* open({ owner: "ada" })
      yield* pull
      const next = yield* Effect.forkChild(pull, { startImmediately: true })
      for (let others = 0; others < 20; others++) yield* appended(ofCustomer("grace"), entry(newStream(), 0))
      assert.strictEqual(pages(), 0)
      yield* TestClock.adjust(heartbeat)
      assert.containSubset(yield* Fiber.join(next), [{ _tag: "Heartbeat", position: 40n }])
      // The token of position 40 takes the event there.
      assert.strictEqual(pages(), 1)
      const mine = yield* Effect.forkChild(pull, { startImmediately: true })
      yield* appended(ofCustomer("grace", 3), ofCustomer("ada", 2), ofCustomer("grace"))
      assert.deepStrictEqual(positions(yield* Fiber.join(mine)), [44, 45])
      assert.strictEqual(pages(), 2)
    }).pipe(Effect.provide(memoryLayer))
  )

  it.effect("does not go back when it begins after what this process has seen", () =>
    Effect.gen(function* () {
      const stream = newStream()
      const { pull } = yield* open({ streamId: stream }, 5n)
      const items = yield* Effect.forkChild(Effect.all([pull, pull, pull]), { startImmediately: true })
      yield* appended(entry(stream, 0, { events: 3 }))
      yield* appended(entry(stream, 3, { events: 3 }))
      assert.deepStrictEqual((yield* Fiber.join(items)).flatMap(positions), ["Heartbeat", 6, "CaughtUp"])
    }).pipe(Effect.provide(memoryLayer))
  )

  it.effect("gets each of its events once, in order, also if its pulls are interrupted", () =>
    Effect.gen(function* () {
      const stream = newStream()
      const interests: ReadonlyArray<StreamOrOwner> = [
        { owner: "a" },
        { owner: "b" },
        { streamId: stream },
        { streamId: stream, owner: "a" },
        { owner: "nobody" }
      ]
      const readers = yield* Effect.forEach(interests, (interest) => open(interest))
      const seen = readers.map((): Array<number | string> => [])
      const reading = yield* Effect.forEach(readers, ({ pull }, index) =>
        Effect.forkChild(Effect.forever(Effect.map(pull, (items) => seen[index]!.push(...positions(items)))))
      )
      const all: Array<RecordedEvent> = []
      for (let round = 0, version = 0; round < 60; round++) {
        const mine = entry(stream, version, { events: round % 3 })
        version += round % 3
        const customerId = round % 2 === 0 ? "a" : "b"
        yield* appended(
          { ...mine, metadata: { ...mine.metadata, customerId } },
          ofCustomer(customerId, 1 + (round % 4))
        )
        // Beats interrupt whatever waits then.
        if (round % 5 === 0) yield* TestClock.adjust(heartbeat)
      }
      yield* TestClock.adjust(heartbeat)
      all.push(...(yield* (yield* EventStore).readAll({ after: 0n, limit: 500 })))
      yield* Effect.forEach(reading, Fiber.interrupt)
      interests.forEach((interest, index) => {
        const wanted = all.filter(about(interest)).map(({ position }) => Number(position))
        assert.deepStrictEqual(
          seen[index]!.filter((item) => typeof item === "number"),
          wanted
        )
      })
    }).pipe(Effect.provide(memoryLayer))
  )
})
