/** Keeps cached orders in this process, for tests and trials. */
import { Duration, Effect } from "effect"
import * as MonotonicClock from "../supervision/MonotonicClock.ts"
import type { CachedValue, OrderCache } from "./OrderCache.ts"

export const make = (ttl: Duration.Input = "10 minutes"): OrderCache => {
  const values = new Map<string, CachedValue & { readonly until: number }>()
  const lifetime = Duration.toMillis(Duration.fromInputUnsafe(ttl))
  const found = (key: string, now: number) => {
    const value = values.get(key)
    return value !== undefined && value.until > now ? value : undefined
  }
  return {
    read: (keys) => Effect.map(MonotonicClock.millis, (now) => keys.map((key) => found(key, now)?.value)),
    write: (written) =>
      Effect.map(MonotonicClock.millis, (now) => {
        for (const value of written) {
          const known = found(value.key, now)?.position ?? -1n
          if (known > value.position && known <= value.head) continue
          values.set(value.key, { ...value, until: now + lifetime })
        }
      })
  }
}
