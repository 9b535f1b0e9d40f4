import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Random } from "effect"
import { makeHealth, pauseAfter } from "../../../src/webhooks/Backoff.ts"
import { defaults } from "../../../src/webhooks/WebhookOptions.ts"

const options = { ...defaults, firstPause: Duration.seconds(5), longestPause: Duration.minutes(10) }

describe("the pause after a failure", () => {
  it.effect.each([
    [1, 5],
    [2, 10],
    [5, 80],
    [8, 600],
    [1_000, 600]
  ] as const)("is about twice as long each time, and bounded: after %s failures %s s", ([failures, seconds]) =>
    Effect.gen(function* () {
      const pauses = yield* Effect.all(Array.from({ length: 200 }, () => pauseAfter(failures, options)))
      const millis = pauses.map(Duration.toMillis)
      assert.isTrue(millis.every((pause) => pause >= seconds * 800 && pause <= seconds * 1_200))
      assert.isAbove(new Set(millis).size, 100)
    }).pipe(Random.withSeed("webhooks"))
  )
})

describe("an endpoint", () => {
  it.effect("is not away while one or two orders fail, or while others get through", () =>
    Effect.gen(function* () {
      const health = makeHealth(options)
      for (let time = 0; time < 100; time++) {
        yield* health.failed("a", time)
        yield* health.failed("b", time)
      }
      assert.isFalse(health.isAway())
      assert.isFalse(health.delivered())
      yield* health.failed("c", 100)
      assert.isFalse(health.isAway())
      assert.strictEqual(health.notBefore(), 0)
    })
  )

  it.effect("that is away is tried by one request at a time, ever later up to 30 s, until one gets through", () =>
    Effect.gen(function* () {
      const health = makeHealth(options)
      for (const stream of ["a", "b", "c", "d", "e"]) yield* health.failed(stream, 1_000)
      assert.isTrue(health.isAway())
      const pauses: Array<number> = []
      for (let time = health.notBefore(); pauses.length < 6; time = health.notBefore()) {
        yield* health.failed("a", time)
        pauses.push(health.notBefore() - time)
      }
      assert.isTrue(pauses[0]! >= 8_000 && pauses[0]! <= 12_000, "what failed at once counts once")
      assert.isTrue(pauses.every((pause) => pause <= 36_000) && pauses.at(-1)! >= 24_000)
      assert.isTrue(health.delivered())
      assert.isFalse(health.isAway())
      assert.strictEqual(health.notBefore(), 0)
    })
  )

  it.effect("that wants to be left alone is, also when something gets through meanwhile", () =>
    Effect.gen(function* () {
      const health = makeHealth(options)
      health.leaveAlone(9_000)
      health.leaveAlone(5_000)
      health.delivered()
      assert.strictEqual(health.notBefore(), 9_000)
    })
  )
})
