/**
 * Keeps the buckets of rate limits in the memory of this process. Effect's own store in memory keeps every key for ever and goes
 * by the wall clock; this one drops the key that was used least recently, and no change of the clock locks anybody out.
 */
import { Clock, Context, Duration, Effect, Layer } from "effect"
import { RateLimiter } from "effect/persistence"

interface Bucket {
  tokens: number
  /** Milliseconds of a clock that only goes forward. */
  refilledAt: number
}

const make = (clock: Clock.Clock, most: number): RateLimiter.RateLimiterStore["Service"]["tokenBucket"] => {
  const buckets = new Map<string, Bucket>()
  return ({ allowOverflow, key, limit, refillRate, tokens }) =>
    Effect.sync(() => {
      const now = Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)
      // Whoever is only asked about is not kept.
      if (tokens === 0 && !buckets.has(key)) return [limit, 0] as const
      const refill = Duration.toMillis(refillRate)
      const bucket = buckets.get(key) ?? { tokens: limit, refilledAt: now }
      const refilled = Math.floor((now - bucket.refilledAt) / refill)
      bucket.tokens = Math.min(limit, bucket.tokens + refilled)
      bucket.refilledAt = bucket.tokens === limit ? now : bucket.refilledAt + refilled * refill
      const left = bucket.tokens - tokens
      if (left >= 0 || allowOverflow) bucket.tokens = left
      // A key that is set again goes to the end of the map, so its first one was used least recently.
      buckets.delete(key)
      buckets.set(key, bucket)
      if (buckets.size > most) buckets.delete(buckets.keys().next().value!)
      return [left, Math.max(0, now - bucket.refilledAt)] as const
    })
}

/** So many callers and addresses are known at the same time. */
export const layerMemory = (most = 100_000) =>
  Layer.effect(
    RateLimiter.RateLimiterStore,
    Effect.gen(function* () {
      const context = yield* Layer.build(RateLimiter.layerStoreMemory)
      const store = Context.get(context, RateLimiter.RateLimiterStore)
      return { ...store, tokenBucket: make(yield* Clock.Clock, most) }
    })
  )
