import { assert, describe, it } from "@effect/vitest"
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

  it.live("read nothing for callers who left, and do not wait for a statement that hangs", () =>
    Effect.gen(function* () {
      const asked: Array<ReadonlyArray<string>> = []
      const gate = yield* Deferred.make<void>()
      const ask = yield* BatchedReads.make(
        (keys: ReadonlyArray<string>) => {
          asked.push(keys)
          const answers = keys.map(() => 0)
          return asked.length === 1 ? Effect.as(Deferred.await(gate), answers) : Effect.succeed(answers)
        },
        { lanes: 2 }
      )
      const hanging = yield* Effect.forkChild(ask(a), { startImmediately: true })
      yield* ask(b)
      assert.deepStrictEqual(asked, [[a], [b]])
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(hanging)

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
})
