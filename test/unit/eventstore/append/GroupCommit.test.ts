import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import type { Outcome } from "../../../../src/eventstore/EventStore.ts"
import * as GroupCommit from "../../../../src/eventstore/append/GroupCommit.ts"
import { entry, event, newStream } from "../../../../src/testing/EventStoreEntries.ts"
import * as WrongWallClock from "../../../../harness/clocks/WrongWallClock.ts"
import { value, withOwnMetrics } from "../../../../harness/fixtures/OwnMetrics.ts"

const accepted: Outcome = { _tag: "Accepted", version: 1, position: 1n, recordedAt: "2026-01-01T00:00:00.000Z" }

/** Makes a writer whose lanes wait at a gate, and records the batches that they were given. */
const gated = (options: { readonly lanes?: number; readonly limits?: Partial<GroupCommit.Limits> } = {}) =>
  Effect.gen(function* () {
    const batches: Array<GroupCommit.Batch> = []
    const gate = yield* Deferred.make<void>()
    const lane: GroupCommit.Lane = (batch) =>
      Effect.gen(function* () {
        batches.push(batch)
        yield* Deferred.await(gate)
        for (const call of batch.calls) GroupCommit.answer(call, Exit.succeed(call.entries.map(() => accepted)))
      })
    const lanes = Array.from({ length: options.lanes ?? 1 }, () => lane)
    const append = yield* GroupCommit.make(lanes, { ...GroupCommit.defaultLimits, ...options.limits })
    const start = (entries: number, timeout = 5_000, bytes = 0, guards = 0) =>
      Effect.gen(function* () {
        const given = Array.from({ length: entries }, () =>
          entry(newStream(), 0, {
            events: [event({ text: "x".repeat(bytes) })],
            ...(guards === 0
              ? {}
              : { guards: Array.from({ length: guards }, () => ({ streamId: newStream(), version: 0 })) })
          })
        )
        return yield* Effect.forkChild(append(given, timeout), {
          startImmediately: true
        })
      })
    const sizes = () => batches.map((batch) => batch.calls.map((call) => call.entries.length))
    return { start, sizes, batches, open: Deferred.succeed(gate, undefined), settled: Effect.yieldNow }
  })

const errorOf = <A>(fiber: Fiber.Fiber<A, GroupCommit.AppendError>) =>
  Effect.map(Effect.flip(Fiber.join(fiber)), (error) => error._tag)

describe("GroupCommit", () => {
  it.effect("sends what came during a batch as the next batch, and never splits a call", () =>
    Effect.gen(function* () {
      const writer = yield* gated({ limits: { batchEntries: 5 } })
      const first = yield* writer.start(1)
      yield* writer.settled
      const others = yield* Effect.forEach([3, 2, 4, 2, 1], (entries) => writer.start(entries))
      yield* writer.open
      yield* Effect.forEach([first, ...others], Fiber.join)
      assert.deepStrictEqual(writer.sizes(), [[1], [3, 2], [4], [2, 1]])
      assert.strictEqual(yield* value("orders_append_batch_size_count"), 4)
      assert.strictEqual(yield* value("orders_append_batch_size_sum"), 13)
      assert.strictEqual(yield* value('orders_append_batch_size_bucket{le="2"}'), 1)
    }).pipe(withOwnMetrics)
  )

  it.effect("keeps batches below the limit in bytes, unless one call alone is above it", () =>
    Effect.gen(function* () {
      const writer = yield* gated({ limits: { batchBytes: 3_000 } })
      const calls = [yield* writer.start(1)]
      yield* writer.settled
      for (const bytes of [500, 500, 2_000, 9_000, 10]) calls.push(yield* writer.start(1, 5_000, bytes))
      yield* writer.open
      yield* Effect.forEach(calls, Fiber.join)
      assert.deepStrictEqual(writer.sizes(), [[1], [1, 1], [1], [1], [1]])
    })
  )

  it.effect("keeps batches below the limit in guards, unless one call alone is above it", () =>
    Effect.gen(function* () {
      const writer = yield* gated({ limits: { batchGuards: 5 } })
      const calls = [yield* writer.start(1)]
      yield* writer.settled
      for (const guards of [2, 3, 1, 9, 0]) calls.push(yield* writer.start(1, 5_000, 0, guards))
      yield* writer.open
      yield* Effect.forEach(calls, Fiber.join)
      assert.deepStrictEqual(writer.sizes(), [[1], [1, 1], [1], [1], [1]])
    })
  )

  it.effect("keeps as many batches in flight as it has lanes", () =>
    Effect.gen(function* () {
      const writer = yield* gated({ lanes: 2 })
      const calls = []
      for (let call = 0; call < 5; call++) {
        calls.push(yield* writer.start(1))
        yield* writer.settled
      }
      assert.deepStrictEqual(writer.sizes(), [[1], [1]])
      yield* writer.open
      yield* Effect.forEach(calls, Fiber.join)
      assert.deepStrictEqual(writer.sizes(), [[1], [1], [1, 1, 1]])
    })
  )

  it.effect("sends a batch beside one in flight only when it is as large", () =>
    Effect.gen(function* () {
      const writer = yield* gated({ lanes: 2 })
      const calls = [yield* writer.start(4)]
      yield* writer.settled
      for (const entries of [1, 2]) calls.push(yield* writer.start(entries))
      yield* writer.settled
      assert.deepStrictEqual(writer.sizes(), [[4]])
      calls.push(yield* writer.start(1))
      yield* writer.settled
      assert.deepStrictEqual(writer.sizes(), [[4], [1, 2, 1]])
      yield* writer.open
      yield* Effect.forEach(calls, Fiber.join)
    })
  )

  it.effect("sends what waits beside a batch that hangs, however little it is", () =>
    Effect.gen(function* () {
      const writer = yield* gated({ lanes: 2 })
      const calls = [yield* writer.start(4)]
      yield* writer.settled
      calls.push(yield* writer.start(1))
      yield* writer.settled
      assert.deepStrictEqual(writer.sizes(), [[4]])
      yield* TestClock.adjust(40)
      assert.deepStrictEqual(writer.sizes(), [[4], [1]])
      yield* writer.open
      yield* Effect.forEach(calls, Fiber.join)
    })
  )

  it.effect("refuses a call that finds no room, and sends nothing of it", () =>
    Effect.gen(function* () {
      const writer = yield* gated({ limits: { waitingEntries: 10 } })
      const first = yield* writer.start(1)
      yield* writer.settled
      const waiting = yield* writer.start(8)
      assert.strictEqual(yield* errorOf(yield* writer.start(3)), "Overloaded")
      const last = yield* writer.start(2)
      yield* writer.open
      yield* Effect.forEach([first, waiting, last], Fiber.join)
      assert.deepStrictEqual(writer.sizes(), [[1], [8, 2]])
    })
  )

  it.effect("answers each call at its own deadline with what is certain at that moment", () =>
    Effect.gen(function* () {
      const writer = yield* gated({ lanes: 3 })
      const sent = yield* writer.start(1, 1_000)
      yield* writer.settled
      const unanswered = yield* writer.start(1, 1_000)
      yield* writer.settled
      const connecting = yield* writer.start(2, 1_000)
      yield* writer.settled
      const [first, second] = writer.batches
      assert.isDefined(first)
      assert.isDefined(second)
      first.isExecuting = true
      second.isUndetermined = true
      const late = yield* writer.start(1, 1_000)
      const patient = yield* writer.start(1, 9_000)
      yield* TestClock.adjust(1_100)
      assert.strictEqual(yield* errorOf(sent), "OutcomeUnknown")
      assert.strictEqual(yield* errorOf(unanswered), "OutcomeUnknown")
      assert.strictEqual(yield* errorOf(connecting), "DatabaseUnavailable")
      assert.strictEqual(yield* errorOf(late), "Overloaded")
      yield* writer.open
      assert.deepStrictEqual(yield* Fiber.join(patient), [accepted])
      assert.deepStrictEqual(writer.sizes(), [[1], [1], [2], [1]])
    })
  )

  it.effect("tells nobody that the outcome is unknown because the wall clock was set forward", () =>
    Effect.gen(function* () {
      const { provided, step } = yield* WrongWallClock.make
      yield* Effect.gen(function* () {
        const writer = yield* gated()
        const slow = yield* writer.start(1)
        yield* writer.settled
        const [batch] = writer.batches
        assert.isDefined(batch)
        batch.isExecuting = true
        const waiting = yield* writer.start(1)
        yield* step(5_000)
        yield* TestClock.adjust(100)
        yield* writer.open
        assert.deepStrictEqual(yield* Fiber.join(slow), [accepted])
        assert.deepStrictEqual(yield* Fiber.join(waiting), [accepted])
      }).pipe(provided)
    })
  )

  it.effect("stores the entries of a caller that was interrupted", () =>
    Effect.gen(function* () {
      const writer = yield* gated()
      const caller = yield* writer.start(2)
      yield* Fiber.interrupt(caller)
      const other = yield* writer.start(1)
      yield* writer.open
      yield* Fiber.join(other)
      assert.deepStrictEqual(writer.sizes(), [[2, 1]])
    })
  )

  it.effect("answers everybody when it is shut down", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const writer = yield* gated().pipe(Scope.provide(scope))
      const sent = yield* writer.start(1)
      yield* writer.settled
      const waiting = yield* writer.start(1)
      const [batch] = writer.batches
      assert.isDefined(batch)
      batch.isExecuting = true
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* errorOf(sent), "OutcomeUnknown")
      assert.strictEqual(yield* errorOf(waiting), "Overloaded")
    })
  )
})
