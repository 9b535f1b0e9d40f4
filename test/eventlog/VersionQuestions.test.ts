import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, References } from "effect"
import * as StreamId from "../../src/eventlog/StreamId.ts"
import * as VersionQuestions from "../../src/eventlog/VersionQuestions.ts"

const [a, b] = [StreamId.make("thing", "a"), StreamId.make("thing", "b")]

describe("questions for versions", () => {
  it.live("share statements, each begun after they were asked", () =>
    Effect.gen(function* () {
      const asked: Array<number> = []
      const ask = yield* VersionQuestions.make((streamIds) => {
        asked.push(streamIds.length)
        return Effect.delay(Effect.succeed(streamIds.map((_, index) => index)), 5)
      })
      yield* Effect.forEach(Array.from({ length: 50 }), () => ask(a), { concurrency: "unbounded" })
      assert.strictEqual(
        asked.reduce((sum, count) => sum + count, 0),
        50
      )
      assert.isAtMost(asked.length, 3)
    }).pipe(Effect.scoped)
  )

  it.live("are not blocked by one who goes away at any moment", () =>
    Effect.gen(function* () {
      const ask = yield* VersionQuestions.make((streamIds) => Effect.succeed(streamIds.map(() => 0)))
      for (let ops = 3; ops < 40; ops++) {
        const asker = yield* Effect.forkDetach(Effect.provideService(ask(a), References.MaxOpsBeforeYield, ops))
        yield* Effect.yieldNow
        yield* Fiber.interrupt(asker)
        assert.strictEqual((yield* Effect.timeoutOption(ask(b), "2 seconds"))._tag, "Some")
      }
    }).pipe(Effect.scoped)
  )
})
