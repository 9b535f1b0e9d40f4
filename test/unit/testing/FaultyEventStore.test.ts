import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Result } from "effect"
import { TestClock } from "effect/testing"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import * as MemoryEventStore from "../../../src/eventstore/MemoryEventStore.ts"
import { entry, newStream } from "../../../src/testing/EventStoreEntries.ts"
import * as FaultyEventStore from "../../../src/testing/FaultyEventStore.ts"

const stream = newStream()
const far = Number.MAX_SAFE_INTEGER

const make = Effect.map(MemoryEventStore.make(), (log) => {
  const faulty = FaultyEventStore.make(log)
  const append = (expected: number) => Effect.result(faulty.store.append([entry(stream, expected, { events: 1 })], far))
  return { ...faulty, append, version: log.currentVersion(stream) }
})

const failureOf = <A, E extends { readonly _tag: string }>(result: Result.Result<A, E>) =>
  Result.isFailure(result) ? result.failure._tag : "none"

describe("a faulty event store", () => {
  it.effect("goes wrong at the appends that a layer names", () =>
    Effect.gen(function* () {
      const log = yield* EventStore
      const append = (expected: number) =>
        Effect.result(log.append([entry(stream, expected, { events: 1 })], far)).pipe(
          Effect.map((result) => (Result.isSuccess(result) ? result.success[0]?._tag : result.failure._tag))
        )
      assert.strictEqual(yield* append(0), "Accepted")
      assert.strictEqual(yield* append(1), "DatabaseUnavailable")
      assert.strictEqual(yield* append(1), "OutcomeUnknown")
      assert.strictEqual(yield* log.currentVersion(stream), 2)
      assert.strictEqual(yield* append(2), "Conflict")
      const slow = yield* Effect.forkChild(append(2))
      yield* TestClock.adjust("999 millis")
      assert.strictEqual(yield* log.currentVersion(stream), 2)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(slow), "Accepted")
      assert.strictEqual(yield* append(3), "Accepted")
    }).pipe(
      Effect.provide(
        FaultyEventStore.layerFaulty({ 2: "fails", 3: "outcome unknown", 4: "conflicts", 5: "is slow" }).pipe(
          Layer.provide(MemoryEventStore.layer())
        )
      )
    )
  )

  it.effect("is as good as the one it wraps until a fault is injected, and once it is mended", () =>
    Effect.gen(function* () {
      const { append, inject, mend, version } = yield* make
      assert.isTrue(Result.isSuccess(yield* append(0)))
      inject({ append: FaultyEventStore.unavailable })
      assert.strictEqual(failureOf(yield* append(1)), "DatabaseUnavailable")
      assert.strictEqual(yield* version, 1)
      mend()
      assert.isTrue(Result.isSuccess(yield* append(1)))
      assert.strictEqual(yield* version, 2)
    })
  )

  it.effect("stores what it loses the answer to", () =>
    Effect.gen(function* () {
      const { append, inject, version } = yield* make
      inject({ append: FaultyEventStore.answerLost })
      assert.strictEqual(failureOf(yield* append(0)), "OutcomeUnknown")
      assert.strictEqual(yield* version, 1)
    })
  )

  it.effect("counts the calls since the fault was injected", () =>
    Effect.gen(function* () {
      const { append, inject } = yield* make
      const outcomes = Effect.map(Effect.forEach([0, 1, 2], append), (results) => results.map(failureOf))
      inject({ append: FaultyEventStore.first(1, FaultyEventStore.unavailable) })
      assert.deepStrictEqual(yield* outcomes, ["DatabaseUnavailable", "none", "none"])
      inject({ append: FaultyEventStore.from(3, FaultyEventStore.unavailable) })
      assert.deepStrictEqual(yield* outcomes, ["none", "none", "DatabaseUnavailable"])
    })
  )

  it.effect("waits at a gate, answers conflicts, and never answers", () =>
    Effect.gen(function* () {
      const { append, inject, version } = yield* make
      const gate = yield* Deferred.make<void>()
      inject({ append: FaultyEventStore.after(Deferred.await(gate)) })
      const waiting = yield* Effect.forkChild(append(0), { startImmediately: true })
      assert.strictEqual(yield* version, 0)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(waiting)
      assert.strictEqual(yield* version, 1)
      inject({ append: FaultyEventStore.conflict(7) })
      assert.deepStrictEqual(yield* append(1), Result.succeed([{ _tag: "Conflict", version: 7 }]))
      inject({ append: FaultyEventStore.silent })
      const unanswered = yield* Effect.forkChild(append(1), { startImmediately: true })
      assert.isUndefined(unanswered.pollUnsafe())
      assert.strictEqual(yield* version, 1)
    })
  )
})
