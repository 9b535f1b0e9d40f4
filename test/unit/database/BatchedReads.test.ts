import { afterEach, assert, beforeEach, describe, it, vi } from "@effect/vitest"
import { Deferred, Effect, Fiber, References } from "effect"
import * as BatchedReads from "../../../src/database/BatchedReads.ts"

const [a, b] = ["a", "b"]

describe("batched reads", () => {
  it.live("share statements that began after they were asked for", () =>
    Effect.gen(function* () {
      const asked: Array<number> = []
      const gate = yield* Deferred.make<void>()
      const ask = yield* BatchedReads.make((keys: ReadonlyArray<string>) => {
        asked.push(keys.length)
        return Effect.as(
          Deferred.await(gate),
          keys.map((_, index) => index)
        )
      })
      const askers = yield* Effect.forEach(Array.from({ length: 50 }), () =>
        Effect.forkChild(ask(a), { startImmediately: true })
      )
      yield* Deferred.succeed(gate, undefined)
      yield* Effect.forEach(askers, Fiber.join)
      assert.strictEqual(
        asked.reduce((sum, count) => sum + count, 0),
        50
      )
      assert.isAtMost(asked.length, 3)
    }).pipe(Effect.scoped)
  )

  it.live("are not blocked by a caller that is interrupted at any moment", () =>
    Effect.gen(function* () {
      const ask = yield* BatchedReads.make((keys: ReadonlyArray<string>) => Effect.succeed(keys.map(() => 0)))
      for (let ops = 3; ops < 40; ops++) {
        const asker = yield* Effect.forkDetach(Effect.provideService(ask(a), References.MaxOpsBeforeYield, ops))
        yield* Effect.yieldNow
        yield* Fiber.interrupt(asker)
        assert.strictEqual((yield* Effect.timeoutOption(ask(b), "1 minute"))._tag, "Some")
      }
    }).pipe(Effect.scoped)
  )

  /** Makes reads of two lanes, whose first statements hang until they are answered. */
  const hanging = Effect.gen(function* () {
    const asked: Array<ReadonlyArray<string>> = []
    const gates = yield* Effect.forEach([a, b], () => Deferred.make<void>())
    const read = (keys: ReadonlyArray<string>) => {
      const gate = gates[asked.push(keys) - 1]
      const answers = keys.map(() => 0)
      return gate === undefined ? Effect.succeed(answers) : Effect.as(Deferred.await(gate), answers)
    }
    const ask = yield* BatchedReads.make(read, { lanes: 2, patience: 100 })
    const start = (key: string) => Effect.forkChild(ask(key), { startImmediately: true })
    const answer = (statement: number) => Deferred.succeed(gates[statement]!, undefined)
    return { asked, answer, start }
  })

  beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }))
  afterEach(() => void vi.useRealTimers())

  it.live("gather while a statement takes its time, for the one after it", () =>
    Effect.gen(function* () {
      const { answer, asked, start } = yield* hanging
      const askers = yield* Effect.forEach([a, b, "c"], start)
      vi.advanceTimersByTime(99)
      assert.deepStrictEqual(asked, [[a]])
      yield* Effect.forEach([0, 1], answer)
      yield* Effect.forEach(askers, Fiber.join)
      assert.deepStrictEqual(asked, [[a], [b, "c"]])
    }).pipe(Effect.scoped)
  )

  it.live("do not wait for a statement that is slow, be they asked before or after that shows", () =>
    Effect.gen(function* () {
      const { answer, asked, start } = yield* hanging
      const slow = yield* start(a)
      const askers = [yield* start(b), yield* start("c")]
      vi.advanceTimersByTime(100)
      assert.deepStrictEqual(asked, [[a], [b, "c"]])
      yield* answer(1)
      yield* Effect.forEach(askers, Fiber.join)
      yield* Fiber.join(yield* start("d"))
      assert.deepStrictEqual(asked, [[a], [b, "c"], ["d"]])
      assert.isUndefined(slow.pollUnsafe())
      yield* answer(0)
      yield* Fiber.join(slow)
    }).pipe(Effect.scoped)
  )

  it.live("gather for one statement again once the slow one has ended", () =>
    Effect.gen(function* () {
      const { answer, asked, start } = yield* hanging
      const askers = yield* Effect.forEach([a, b], start)
      vi.advanceTimersByTime(100)
      askers.push(yield* start("c"), yield* start("d"))
      yield* answer(0)
      yield* Fiber.join(askers[0]!)
      assert.deepStrictEqual(asked, [[a], [b]])
      yield* answer(1)
      yield* Effect.forEach(askers, Fiber.join)
      assert.deepStrictEqual(asked, [[a], [b], ["c", "d"]])
    }).pipe(Effect.scoped)
  )

  it.live("read nothing for callers who left", () =>
    Effect.gen(function* () {
      const asked: Array<ReadonlyArray<string>> = []
      const closed = yield* Deferred.make<void>()
      const lone = yield* BatchedReads.make((keys: ReadonlyArray<string>) => {
        asked.push(keys)
        return Effect.as(
          Deferred.await(closed),
          keys.map(() => 0)
        )
      })
      const first = yield* Effect.forkChild(lone(a), { startImmediately: true })
      const leaving = yield* Effect.forkChild(lone("left"), { startImmediately: true })
      yield* Fiber.interrupt(leaving)
      const last = yield* Effect.forkChild(lone(b), { startImmediately: true })
      yield* Deferred.succeed(closed, undefined)
      yield* Effect.forEach([first, last], Fiber.join)
      assert.notInclude(asked.flat(), "left")
    }).pipe(Effect.scoped)
  )

  it.live("share a statement only with the same key, and wait for no other one", () =>
    Effect.gen(function* () {
      const asked: Array<ReadonlyArray<string>> = []
      const first = yield* Deferred.make<void>()
      const ask = yield* BatchedReads.make(
        (keys: ReadonlyArray<string>) => {
          const isFirst = asked.push(keys) === 1
          return Effect.as(isFirst ? Deferred.await(first) : Effect.void, [...keys])
        },
        { keyOf: (key) => key }
      )
      const askers = yield* Effect.forEach([a, a, a], (key) => Effect.forkChild(ask(key), { startImmediately: true }))
      const other = yield* Effect.forkChild(ask(b), { startImmediately: true })
      assert.deepStrictEqual(asked, [[a], [b]])
      assert.strictEqual(yield* Fiber.join(other), b)
      yield* Deferred.succeed(first, undefined)
      yield* Effect.forEach(askers, Fiber.join)
      assert.strictEqual(yield* ask(a), a)
      assert.deepStrictEqual(asked, [[a], [b], [a, a], [a]])
    }).pipe(Effect.scoped)
  )
})
