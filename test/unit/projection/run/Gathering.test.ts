import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Queue } from "effect"
import { TestClock } from "effect/testing"
import type { RecordedEvent } from "../../../../src/eventstore/EventStore.ts"
import * as StreamId from "../../../../src/eventstore/StreamId.ts"
import * as PositionLatch from "../../../../src/projection/consistency/PositionLatch.ts"
import type { Batch, Projection } from "../../../../src/projection/Projection.ts"
import * as Gathering from "../../../../src/projection/run/Gathering.ts"

const projection: Projection = {
  name: "counted",
  version: 1,
  partition: "stream",
  categories: ["counted"],
  handle: () => Effect.void
}

const event = (position: number, category: string): RecordedEvent => ({
  position: BigInt(position),
  streamId: StreamId.make(category, "1"),
  version: position,
  eventId: String(position),
  type: "Happened",
  schemaVersion: 1,
  data: {},
  metadata: { commandId: "", correlationId: "", causationId: "" },
  recordedAt: "2026-01-01T00:00:00.000Z"
})

/** A log to which events are appended one by one, and those who gather them. */
const setUp = Effect.gen(function* () {
  const view = PositionLatch.make()
  const pages = yield* Queue.unbounded<Batch>()
  let head = 0
  const gathering = Gathering.make({
    projection,
    tail: { position: Effect.sync(() => BigInt(head)) },
    limit: () => 1_000,
    whenAwaited: view.whenAwaited
  })
  return {
    view,
    append: (category: string) => Queue.offerUnsafe(pages, [event(++head, category)]),
    /** The positions of the next commit. */
    commit: Effect.map(gathering.next(Queue.take(pages)), (events) =>
      events.map(({ position }) => Number(position))
    ).pipe(Effect.tap(gathering.committed), Effect.forkChild({ startImmediately: true }))
  }
})

const isWaiting = <A, E>(fiber: Fiber.Fiber<A, E>) => fiber.pollUnsafe() === undefined

describe("Gathering", () => {
  it.effect("commits an event at once after a time without any, and then what comes within 20 ms together", () =>
    Effect.gen(function* () {
      const { append, commit } = yield* setUp
      append("counted")
      assert.deepStrictEqual(yield* Fiber.join(yield* commit), [1])
      append("counted")
      const next = yield* commit
      yield* TestClock.adjust("19 millis")
      append("other")
      append("counted")
      assert.isTrue(isWaiting(next))
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* Fiber.join(next), [2, 3, 4])
      yield* TestClock.adjust("20 millis")
      append("counted")
      assert.deepStrictEqual(yield* Fiber.join(yield* commit), [5])
    })
  )

  it.effect("gathers events that the projection does not handle for 100 ms", () =>
    Effect.gen(function* () {
      const { append, commit } = yield* setUp
      append("other")
      yield* Fiber.join(yield* commit)
      append("other")
      const next = yield* commit
      yield* TestClock.adjust("99 millis")
      append("other")
      assert.isTrue(isWaiting(next))
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* Fiber.join(next), [2, 3])
    })
  )

  it.effect("commits at once while somebody waits for the view, be it before the event comes or after", () =>
    Effect.gen(function* () {
      const { append, commit, view } = yield* setUp
      append("counted")
      yield* Fiber.join(yield* commit)
      append("counted")
      const next = yield* commit
      assert.isTrue(isWaiting(next))
      const reader = yield* Effect.forkChild(view.awaitPosition(3n), { startImmediately: true })
      assert.deepStrictEqual(yield* Fiber.join(next), [2])
      append("other")
      assert.deepStrictEqual(yield* Fiber.join(yield* commit), [3])
      view.advance(3n)
      yield* Fiber.join(reader)
      append("counted")
      assert.isTrue(isWaiting(yield* commit))
    })
  )
})
