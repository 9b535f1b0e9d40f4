/**
 * Keeps cached orders in Redis or Valkey, by the client that Effect has for it. A server that is away costs nothing but the hits: it is
 * not waited for, neither at the start nor by a read, and is asked again once a look each half second has found it. One that
 * refuses to write (it is full, or a replica) is read all the same.
 */
import { Duration, Effect, Layer, type Redacted } from "effect"
import * as Redis from "effect/persistence/Redis"
import * as OutageLog from "../../supervision/OutageLog.ts"
import * as RedisConnection from "./RedisConnection.ts"
import { type CachedValue, CacheUnavailable, OrderCache } from "../OrderCache.ts"

export interface RedisOptions {
  readonly url: Redacted.Redacted
  readonly ttl: Duration.Duration
}

/** Writes each value unless there is one of a later position of the same log; a text begins with its position. */
const write = Redis.script(
  (ttl: number, values: ReadonlyArray<CachedValue>) => [
    ...values.map(({ key }) => key),
    ttl,
    ...values.flatMap(({ head, position, value }) => [position, head, value])
  ],
  {
    numberOfKeys: (_, values) => values.length,
    lua: `
      for i, key in ipairs(KEYS) do
        local known = redis.call('GET', key)
        local position = known and tonumber(string.match(known, '^%d+'))
        if not position or position <= tonumber(ARGV[3 * i - 1]) or position > tonumber(ARGV[3 * i]) then
          redis.call('SET', key, ARGV[3 * i + 1], 'PX', ARGV[1])
        end
      end`
  }
)

/** The server itself refuses with a word in capitals, as `OOM` or `READONLY`; so it is there. */
const isRefusal = (error: Redis.RedisError): boolean => /^[A-Z]+ /.test(RedisConnection.problemOf(error))

const make = Effect.fnUntraced(function* ({ ttl, url }: RedisOptions) {
  const refusal = OutageLog.make("Writing to the cache")
  const ask = yield* RedisConnection.make({
    url,
    subject: "Using the cache",
    meanwhile: "The database is read",
    fiber: "order-cache-connection"
  })
  const use = <A>(command: (redis: Redis.Redis["Service"]) => Effect.Effect<A, Redis.RedisError>) =>
    Effect.mapError(ask(command), (problem) => new CacheUnavailable({ problem }))

  const cache: OrderCache = {
    read: (keys) =>
      Effect.map(
        use(({ send }) => send<ReadonlyArray<string | null>>("MGET", ...keys)),
        (values) => values.map((value) => value ?? undefined)
      ),
    write: (values) =>
      use((redis) =>
        redis
          .eval(write)(Duration.toMillis(ttl), values)
          .pipe(
            Effect.andThen(refusal.works),
            Effect.catchIf(isRefusal, (error) =>
              refusal.failed(`${RedisConnection.problemOf(error)}; what it has is read meanwhile`)
            )
          )
      )
  }
  return cache
})

export const layer = (options: RedisOptions) => Layer.effect(OrderCache, make(options))
