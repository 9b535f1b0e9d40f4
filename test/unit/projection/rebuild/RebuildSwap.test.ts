import { assert, it } from "@effect/vitest"
import { Duration, Effect, Schedule } from "effect"
import { retries } from "../../../../src/projection/rebuild/RebuildSwap.ts"

it.effect("a swap is tried again after 2 s, then after twice as long each time, at most 30 s", () =>
  Effect.gen(function* () {
    const step = yield* Schedule.toStep(retries)
    for (const seconds of [2, 4, 8, 16, 30, 30]) {
      const [, delay] = yield* step(0, undefined)
      assert.strictEqual(Duration.toSeconds(delay), seconds)
    }
  })
)
