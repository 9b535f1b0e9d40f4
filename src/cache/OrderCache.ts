/**
 * The port of the cache of orders, which many processes share. Whatever it has may be gone at any time, and is never the truth:
 * `CachedOrderQueries` judges each value that it gives.
 */
import { Context, type Effect, Schema } from "effect"

export interface CachedValue {
  readonly key: string
  /** The checkpoint of the snapshot that the value was made from. The value begins with this number. */
  readonly position: bigint
  /** The end of the log in that snapshot: a value of a later position is of history that was lost. */
  readonly head: bigint
  readonly value: string
}

/** The cache can't be asked now. Nothing is wrong: the view is read. */
export class CacheUnavailable extends Schema.TaggedError<CacheUnavailable>()("CacheUnavailable", {
  problem: Schema.String
}) {
  override get message() {
    return this.problem
  }
}

export interface OrderCache {
  /** Gives the value of each key, in the order of the keys; `undefined` if there is none. */
  read(keys: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string | undefined>, CacheUnavailable>
  /** Keeps each value for a while, unless the cache has one of a later position, up to the end of the log. */
  write(values: ReadonlyArray<CachedValue>): Effect.Effect<void, CacheUnavailable>
}

/** There is no cache unless one is provided. */
export const OrderCache = Context.Reference<OrderCache | undefined>("ordinal/cache/OrderCache", {
  defaultValue: () => undefined
})
