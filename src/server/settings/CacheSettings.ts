/** The settings of the cache of orders, and the layer that they ask for: none without `CACHE`. */
import { Duration, Effect, Layer, Redacted, Schema } from "effect"
import * as WrittenOrders from "../../views/order/WrittenOrders.ts"
import { duration, type Kind, setting, type Values } from "../SettingKinds.ts"
import { UnusableSetting } from "../UnusableSetting.ts"

/** The client takes no path but the number of a database. */
const isRedis = (url: string) =>
  url === "" || (/^rediss?:\/\/./.test(url) && URL.canParse(url) && /^\/?\d*$/.test(new URL(url).pathname))

const cacheUrl: Kind<Redacted.Redacted> = {
  schema: Schema.Redacted(Schema.String.check(Schema.makeFilter(isRedis))),
  placeholder: "url",
  expected: "redis://user:password@host:6379/0, rediss://… if it is to be encrypted, or nothing"
}

export const cacheSettings = {
  CACHE: setting(
    Redacted.make(""),
    cacheUrl,
    "a Redis or Valkey that all processes keep read orders in; none without it"
  ),
  CACHE_TTL: setting(Duration.minutes(10), duration("1 second", "1 day"), "how long an order is kept there")
} satisfies Record<string, unknown>

export type CacheSettings = Values<typeof cacheSettings>

/** Provides the cache, whose client is loaded only if there is one. */
export const layer = ({ CACHE: url, CACHE_TTL: ttl }: CacheSettings) => {
  if (Redacted.value(url) === "") return Layer.empty
  const adapter = Effect.tryPromise({
    try: () => import("../../cache/redis/RedisOrderCache.ts"),
    catch: (cause) =>
      new UnusableSetting({ problem: `CACHE is set, but the client of Redis can't be loaded: ${cause}` })
  })
  return Layer.merge(Layer.unwrap(Effect.map(adapter, ({ layer }) => layer({ url, ttl }))), WrittenOrders.layer)
}
