import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import * as SwapPace from "../../../../src/projection/rebuild/SwapPace.ts"

it.effect("a swap is tried again after 2 s, then after twice as long each time, at most 30 s", () =>
  Effect.gen(function* () {
    const pace = SwapPace.make()
    assert.isTrue(yield* pace.begins)
    for (const [index, seconds] of [2, 4, 8, 16, 30, 30].entries()) {
      const again = yield* Effect.forkChild(pace.dueAgain, { startImmediately: true })
      assert.strictEqual(yield* pace.later, index === 0)
      yield* TestClock.adjust(`${seconds * 1_000 - 1} millis`)
      assert.isFalse(yield* pace.begins)
      assert.isUndefined(again.pollUnsafe())
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(again)
      assert.isTrue(yield* pace.begins)
    }
  })
)
