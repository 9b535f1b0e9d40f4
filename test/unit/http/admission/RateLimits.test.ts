import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as RateLimits from "../../../../src/http/admission/RateLimits.ts"
import * as RateLimitStore from "../../../../src/http/admission/RateLimitStore.ts"

const none = { caller: 0, address: 0, failures: 0, window: Duration.minutes(1) }

const limited = (quotas: Partial<RateLimits.Quotas>, most?: number) =>
  Effect.map(Effect.context<never>(), () =>
    Layer.provide(RateLimits.layer({ ...none, ...quotas }, []), RateLimitStore.layerMemory(most))
  ).pipe(
    Effect.flatMap(Layer.build),
    Effect.flatMap((context) => Effect.provide(RateLimits.RateLimits, context)),
    Effect.map((limits) => limits!)
  )

/** How many of so many requests are let in. */
const letIn = (requests: number, send: Effect.Effect<RateLimits.Counted>) =>
  Effect.map(
    Effect.forEach(Array(requests).keys(), () => send),
    (counted) => counted.filter(({ refusal }) => refusal === undefined).length
  )

describe("API4: rate limits", () => {
  it.effect("let a burst of the quota in, then as many as the window's share of it, and say what is left", () =>
    Effect.gen(function* () {
      const { request } = yield* limited({ caller: 6 })
      const send = request("192.0.2.1", "ada")
      assert.deepStrictEqual((yield* send).headers, {
        "ratelimit-policy": '"caller";q=6;w=60',
        ratelimit: '"caller";r=5;t=10'
      })
      assert.strictEqual(yield* letIn(10, send), 5)
      const { headers, refusal } = yield* send
      assert.strictEqual(headers["ratelimit"], '"caller";r=0;t=10')
      assert.deepInclude(refusal, { limit: "caller", retryAfter: 10 })
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(yield* letIn(10, send), 2)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* letIn(10, send), 6)
    })
  )

  it.effect("count a caller wherever they call from, and an address whoever calls from it", () =>
    Effect.gen(function* () {
      const { request } = yield* limited({ caller: 3, address: 4 })
      assert.strictEqual(yield* letIn(2, request("192.0.2.1", "ada")), 2)
      assert.strictEqual(yield* letIn(2, request("192.0.2.2", "ada")), 1)
      assert.strictEqual(yield* letIn(3, request("192.0.2.1", "bob")), 2)
      assert.strictEqual(yield* letIn(9, request("192.0.2.3", undefined)), 3)
      assert.strictEqual(yield* letIn(1, request("192.0.2.1", "cid")), 0)
    })
  )

  it.effect(
    "API2 brute force: an address that is answered 401 too often is refused for a while; this machine is not",
    () =>
      Effect.gen(function* () {
        const { failed, request } = yield* limited({ failures: 3 })
        const send = request("192.0.2.1", undefined)
        for (let count = 0; count < 3; count++) {
          assert.isUndefined((yield* send).refusal)
          yield* failed("192.0.2.1")
          yield* failed("127.0.0.1")
        }
        assert.deepInclude((yield* send).refusal, { limit: "failures", retryAfter: 20 })
        assert.isUndefined((yield* request("192.0.2.2", undefined)).refusal)
        assert.isUndefined((yield* request("127.0.0.1", undefined)).refusal)
        yield* TestClock.adjust("20 seconds")
        assert.isUndefined((yield* send).refusal)
        yield* failed("192.0.2.1")
        assert.isDefined((yield* send).refusal)
      })
  )

  it.effect("forget who was not there the longest, so that many addresses take no more memory", () =>
    Effect.gen(function* () {
      const { request } = yield* limited({ address: 1 }, 10)
      assert.strictEqual(yield* letIn(2, request("192.0.2.1", undefined)), 1)
      for (let address = 0; address < 10; address++) yield* request(`10.0.0.${address}`, undefined)
      assert.strictEqual(yield* letIn(1, request("192.0.2.1", undefined)), 1)
    })
  )
})
