import { Layer } from "effect"
import { orderCacheContract } from "../../../harness/cache/OrderCacheContract.ts"
import { redisService, serviceSuite } from "../../../harness/services/ServiceSuite.ts"
import * as MemoryOrderCache from "../../../src/cache/MemoryOrderCache.ts"
import { OrderCache } from "../../../src/cache/OrderCache.ts"
import * as RedisOrderCache from "../../../src/cache/redis/RedisOrderCache.ts"
import { Duration, Redacted } from "effect"

orderCacheContract(
  "in memory",
  Layer.sync(OrderCache, () => MemoryOrderCache.make())
)

serviceSuite(redisService, "the cache of orders on Redis", (url) =>
  orderCacheContract("on Redis", RedisOrderCache.layer({ url: Redacted.make(url), ttl: Duration.minutes(1) }))
)
