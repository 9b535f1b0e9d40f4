/** What every adapter of the cache of orders must do. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { randomUUID } from "node:crypto"
import { type CacheUnavailable, OrderCache } from "../../src/cache/OrderCache.ts"

type Written = readonly [key: string, position: bigint, text: string]

const valuesAt = (head: bigint, ...some: ReadonlyArray<Written>) =>
  some.map(([key, position, text]) => ({ key, position, head, value: `${position}.abc ${text}` }))

const values = (...some: ReadonlyArray<Written>) => valuesAt(2n ** 53n, ...some)

/** `layer` may need a moment until its server is there; each case has keys of its own. */
export const orderCacheContract = (name: string, layer: Layer.Layer<never, unknown>): void => {
  const withCache = <A, E>(use: (cache: OrderCache, key: (name: string) => string) => Effect.Effect<A, E>) =>
    Effect.gen(function* () {
      const cache = yield* OrderCache
      if (cache === undefined) return yield* Effect.die(new Error("There is no cache."))
      const prefix = randomUUID()
      // A machine that is busy may be late for once.
      const patient = <B>(ask: Effect.Effect<B, CacheUnavailable>) =>
        Effect.retry(Effect.delay(ask, 1), { while: () => true })
      const patiently: OrderCache = {
        read: (keys) => patient(cache.read(keys)),
        write: (values) => patient(cache.write(values))
      }
      return yield* use(patiently, (name) => `${prefix}:${name}`)
    }).pipe(Effect.provide(layer), Effect.scoped)

  describe(`the cache of orders ${name}`, () => {
    it.live("gives what was written, in the order of the keys, and nothing for what was not", () =>
      withCache((cache, key) =>
        Effect.gen(function* () {
          const long = "é".repeat(100_000)
          yield* cache.write(values([key("a"), 1n, "first"], [key("b"), 2n, long]))
          const found = yield* cache.read([key("b"), key("none"), key("a"), key("b")])
          assert.deepStrictEqual(found, [`2.abc ${long}`, undefined, "1.abc first", `2.abc ${long}`])
        })
      )
    )

    it.live("keeps the value of the later position, in whatever order they come", () =>
      withCache((cache, key) =>
        Effect.gen(function* () {
          yield* cache.write(values([key("a"), 9n, "nine"], [key("a"), 10n, "ten"], [key("a"), 9n, "late nine"]))
          yield* cache.write(values([key("a"), 2n, "two"], [key("b"), 2n, "two"]))
          assert.deepStrictEqual(yield* cache.read([key("a"), key("b")]), ["10.abc ten", "2.abc two"])
          const large = 2n ** 52n
          yield* cache.write(values([key("a"), large, "large"], [key("a"), large - 1n, "smaller"]))
          assert.deepStrictEqual(yield* cache.read([key("a")]), [`${large}.abc large`])
        })
      )
    )

    it.live("replaces a value of a position beyond the end of the log, as after the restore of an older copy", () =>
      withCache((cache, key) =>
        Effect.gen(function* () {
          yield* cache.write(values([key("a"), 9n, "lost"], [key("b"), 8n, "kept"]))
          yield* cache.write(valuesAt(8n, [key("a"), 7n, "seven"], [key("b"), 7n, "seven"]))
          assert.deepStrictEqual(yield* cache.read([key("a"), key("b")]), ["7.abc seven", "8.abc kept"])
        })
      )
    )

    it.live("bears many writers of one key: the last position stays", () =>
      withCache((cache, key) =>
        Effect.gen(function* () {
          const positions = Array.from({ length: 200 }, (_, index) => BigInt((index * 7919) % 200) + 1n)
          yield* Effect.forEach(positions, (position) => cache.write(values([key("a"), position, "x"])), {
            concurrency: 20
          })
          assert.deepStrictEqual(yield* cache.read([key("a")]), ["200.abc x"])
        })
      )
    )
  })
}
