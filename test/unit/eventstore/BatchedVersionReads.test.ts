import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, References } from "effect"
import * as StreamId from "../../../src/eventstore/StreamId.ts"
import * as VersionQuestions from "../../../src/eventstore/BatchedVersionReads.ts"

const [a, b] = [StreamId.make("thing", "a"), StreamId.make("thing", "b")]

describe("reads of versions", () => {
  it.live("share statements that began after they were asked for", () =>
    Effect.gen(function* () {
      const asked: Array<number> = []
      const gate = yield* Deferred.make<void>()
      const ask = yield* VersionQuestions.make((streamIds) => {
        asked.push(streamIds.length)
        return Effect.as(
          Deferred.await(gate),
          streamIds.map((_, index) => index)
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
      const ask = yield* VersionQuestions.make((streamIds) => Effect.succeed(streamIds.map(() => 0)))
      for (let ops = 3; ops < 40; ops++) {
        const asker = yield* Effect.forkDetach(Effect.provideService(ask(a), References.MaxOpsBeforeYield, ops))
        yield* Effect.yieldNow
        yield* Fiber.interrupt(asker)
        assert.strictEqual((yield* Effect.timeoutOption(ask(b), "1 minute"))._tag, "Some")
      }
    }).pipe(Effect.scoped)
  )
})
