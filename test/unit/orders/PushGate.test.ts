import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { LogTail } from "../../../src/eventstore/tail/LogTail.ts"
import * as PositionLatch from "../../../src/projection/consistency/PositionLatch.ts"
import * as PushGate from "../../../src/orders/PushGate.ts"

/** A log that ends at 10, and a view that is wherever a test says. */
const setUp = Effect.gen(function* () {
  const view = { gate: PositionLatch.make(), isLive: true, asked: 0, timeline: 0 }
  const tail = LogTail.of({
    position: Effect.succeed(10n),
    page: () => Effect.never,
    isReading: Effect.succeed(true),
    isFollowing: Effect.succeed(true),
    timeline: Effect.sync(() => view.timeline),
    awaitEvent: () => Effect.never,
    pages: () => assert.fail()
  })
  const gate = yield* PushGate.make(tail, {
    awaitPosition: view.gate.awaitPosition,
    position: Effect.sync(() => {
      view.asked += 1
      return view.gate.position()
    }),
    isLive: Effect.sync(() => view.isLive)
  })
  return { view, gate }
})

const hasPassed = (fiber: Fiber.Fiber<bigint>) => fiber.pollUnsafe() !== undefined

describe("how far events may be pushed", () => {
  it.effect("waits for the view while it is live", () =>
    Effect.gen(function* () {
      const { gate, view } = yield* setUp
      const [five, six] = [
        yield* Effect.forkChild(gate.awaitPosition(5n)),
        yield* Effect.forkChild(gate.awaitPosition(6n))
      ]
      yield* TestClock.adjust("4 seconds")
      assert.isFalse(hasPassed(five))
      view.gate.advance(5n)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual([hasPassed(five), hasPassed(six)], [true, false])
      view.gate.advance(9n)
      assert.strictEqual(yield* Fiber.join(six), 9n)
    })
  )

  it.effect("lets everything through as soon as the view is not live", () =>
    Effect.gen(function* () {
      const { gate, view } = yield* setUp
      const waiting = yield* Effect.forkChild(gate.awaitPosition(5n))
      yield* TestClock.adjust("1 seconds")
      assert.isFalse(hasPassed(waiting))
      view.isLive = false
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(yield* Fiber.join(waiting), 10n)
    })
  )

  it.effect("waits 5 s for a view that only says that it is live, and again once it is back", () =>
    Effect.gen(function* () {
      const { gate, view } = yield* setUp
      const waiting = yield* Effect.forkChild(gate.awaitPosition(5n))
      yield* TestClock.adjust("4900 millis")
      assert.isFalse(hasPassed(waiting))
      yield* TestClock.adjust("200 millis")
      assert.strictEqual(yield* Fiber.join(waiting), 10n)
      view.gate.advance(11n)
      yield* gate.awaitPosition(11n)
      const later = yield* Effect.forkChild(gate.awaitPosition(12n))
      yield* TestClock.adjust("4 seconds")
      assert.isFalse(hasPassed(later))
    })
  )

  it.effect("begins anew when the log went back", () =>
    Effect.gen(function* () {
      const { gate, view } = yield* setUp
      view.gate.advance(9n)
      yield* gate.awaitPosition(9n)
      view.gate.reset()
      view.timeline = 1
      const [five, six] = [
        yield* Effect.forkChild(gate.awaitPosition(5n)),
        yield* Effect.forkChild(gate.awaitPosition(6n))
      ]
      yield* TestClock.adjust("1 seconds")
      assert.deepStrictEqual([hasPassed(five), hasPassed(six)], [false, false])
      view.gate.advance(5n)
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual([hasPassed(five), hasPassed(six)], [true, false])
    })
  )

  it.effect("asks nobody while nobody waits", () =>
    Effect.gen(function* () {
      const { gate, view } = yield* setUp
      view.gate.advance(7n)
      yield* gate.awaitPosition(7n)
      yield* TestClock.adjust("1 seconds")
      const { asked } = view
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(view.asked, asked)
    })
  )
})
