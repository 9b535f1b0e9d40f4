/**
 * Keeps the buckets of rate limits in Redis or Valkey, where all processes count together. While it is away, each process counts for
 * itself, so that callers are neither refused for it nor let in without a limit.
 */
import { Effect, Layer, type Redacted } from "effect"
import { RateLimiter } from "effect/persistence"
import * as Redis from "effect/persistence/Redis"
import * as RedisConnection from "./RedisConnection.ts"

const Store = RateLimiter.RateLimiterStore

/** `own` counts while Redis is away. */
const make = Effect.fnUntraced(function* (url: Redacted.Redacted, own: RateLimiter.RateLimiterStore["Service"]) {
  const use = yield* RedisConnection.make({
    url,
    subject: "Counting rate limits in the cache",
    meanwhile: "Each process counts for itself",
    fiber: "rate-limit-connection"
  })
  /** The store of the connection at present. */
  let known: { readonly redis: unknown; readonly store: typeof own } | undefined
  const shared = (redis: Redis.Redis["Service"]) =>
    known?.redis === redis
      ? Effect.succeed(known.store)
      : Effect.map(
          Effect.provideService(RateLimiter.makeStoreRedis({ prefix: "rate-limit:" }), Redis.Redis, redis),
          (store) => {
            known = { redis, store }
            return store
          }
        )
  const asRedis = ({ reason }: RateLimiter.RateLimiterError) => new Redis.RedisError({ cause: reason })
  return Store.of({
    ...own,
    tokenBucket: (options) =>
      Effect.catch(
        use((redis) => Effect.flatMap(shared(redis), (store) => Effect.mapError(store.tokenBucket(options), asRedis))),
        () => own.tokenBucket(options)
      )
  })
})

/** Needs the store that counts while Redis is away. */
export const layer = (url: Redacted.Redacted) =>
  Layer.effect(
    Store,
    Effect.flatMap(Store, (own) => make(url, own))
  )
