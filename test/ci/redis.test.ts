/** The cache of orders on a real Valkey: the contract, servers whose cache comes and goes, and the start without it. */
import { Duration, Effect, Layer, Redacted } from "effect"
import { assert, beforeAll, it } from "vitest"
import { orderCacheContract } from "../../harness/cache/OrderCacheContract.ts"
import * as CacheRestarts from "../../harness/campaigns/CacheRestarts.ts"
import { call, fillCatalog } from "../../harness/clients/HttpClient.ts"
import { untilSo } from "../../harness/clocks/Until.ts"
import { placement } from "../../harness/fixtures/Shop.ts"
import { seed } from "../../harness/fixtures/SeededRandom.ts"
import { freePort } from "../../harness/servers/FreePort.ts"
import { freshDatabase, server } from "../../harness/servers/Resources.ts"
import { redis } from "../../harness/services/Redis.ts"
import * as RedisServer from "../../harness/services/RedisServer.ts"
import { folderOf } from "../../harness/services/Service.ts"
import { ciSuite } from "../../harness/vitest/CiSuite.ts"
import * as RedisOrderCache from "../../src/cache/redis/RedisOrderCache.ts"
import * as RedisRateLimits from "../../src/cache/redis/RedisRateLimits.ts"
import * as RateLimits from "../../src/http/admission/RateLimits.ts"
import * as RateLimitStore from "../../src/http/admission/RateLimitStore.ts"

const missing = await redis.install(folderOf(redis.name)).then(
  () => undefined,
  (error: unknown) => `Valkey can't be fetched: ${error instanceof Error ? error.message : error}`
)

ciSuite("the cache of orders on Valkey", missing, () => {
  let cache: RedisServer.RedisServer
  beforeAll(async () => {
    cache = await RedisServer.start()
    return cache.close
  })

  orderCacheContract(
    "on Valkey",
    Layer.unwrap(Effect.sync(() => RedisOrderCache.layer({ url: Redacted.make(cache.url), ttl: Duration.minutes(1) })))
  )

  /** A machine that is busy may be late for once. */
  const patient = <A, E>(ask: Effect.Effect<A, E>) => Effect.retry(Effect.delay(ask, 1), { while: () => true })
  const written = (key: string, position: bigint) => ({ key, position, head: 9n, value: `${position}.a b` })

  it("is read while it takes no writes, and replaces what it can't have got from us", () =>
    Effect.gen(function* () {
      const { OrderCache } = yield* Effect.promise(() => import("../../src/cache/OrderCache.ts"))
      const kept = (yield* OrderCache)!
      yield* patient(kept.write([written("full", 1n)]))
      yield* Effect.promise(() => cache.command("SET foreign nonsense"))
      yield* Effect.promise(() => cache.command("CONFIG SET maxmemory 1"))
      for (const position of [2n, 3n]) {
        yield* patient(kept.write([written("full", position)]))
        assert.deepStrictEqual(yield* patient(kept.read(["full"])), ["1.a b"])
      }
      yield* Effect.promise(() => cache.command("CONFIG SET maxmemory 0"))
      yield* patient(kept.write([written("full", 4n), written("foreign", 4n)]))
      assert.deepStrictEqual(yield* patient(kept.read(["full", "foreign"])), ["4.a b", "4.a b"])
    }).pipe(
      Effect.ensuring(Effect.promise(() => cache.command("CONFIG SET maxmemory 0"))),
      Effect.provide(RedisOrderCache.layer({ url: Redacted.make(cache.url), ttl: Duration.minutes(1) })),
      Effect.scoped,
      Effect.runPromise
    ))

  it("forgets a value after its time", () =>
    Effect.gen(function* () {
      const { OrderCache } = yield* Effect.promise(() => import("../../src/cache/OrderCache.ts"))
      const kept = yield* OrderCache
      yield* patient(kept!.write([written("short", 1n)]))
      const ttl = yield* Effect.promise(() => cache.command("PTTL short"))
      assert.match(ttl, /^:\d+$/)
      assert.isAtMost(Number(ttl.slice(1)), 60_000)
    }).pipe(
      Effect.provide(RedisOrderCache.layer({ url: Redacted.make(cache.url), ttl: Duration.minutes(1) })),
      Effect.scoped,
      Effect.runPromise
    ))

  it("may be killed, paused and flushed under load: every read is right, and hits come back", async () => {
    const report = await CacheRestarts.run({
      databaseUrl: await freshDatabase(),
      restarts: 3,
      clients: 2,
      readers: 3,
      pause: 20,
      reads: 50,
      seed
    })
    assert.deepStrictEqual(report.faults, [])
    assert.isAbove(report.outcomes["hit"] ?? 0, 0)
    assert.isAbove(report.outcomes["away"] ?? 0, 0)
  })

  it("may be away at the start, which the log says once, and is used once it is there", async () => {
    const port = await freePort()
    const served = await server({ DATABASE_URL: await freshDatabase(), CACHE: `redis://127.0.0.1:${port}` })
    await fillCatalog(served.url)
    const placed = await call(served.url, "POST", "/orders", { body: placement() })
    const headers = { "consistency-token": placed.headers.get("consistency-token")!, prefer: "wait=30" }
    assert.strictEqual((await call(served.url, "GET", `/orders/${placed.body.orderId}`, { headers })).status, 200)
    await untilSo(() => /Using the cache fails/.test(served.output()), { what: "The line that the cache is away" })
    assert.lengthOf(served.output().match(/Using the cache fails/g)!, 1)
    assert.match(served.output(), /ECONNREFUSED/)
    assert.deepInclude(await served.stop(), { code: 0 })
  })

  it("counts rate limits of all processes together, and each process counts for itself while it is away", async () => {
    const own = await RedisServer.start()
    const process = Layer.provide(
      RateLimits.layer({ caller: 4, address: 0, failures: 0, window: Duration.hours(1) }, []),
      Layer.provide(RedisRateLimits.layer(Redacted.make(own.url)), RateLimitStore.layerMemory())
    )
    const program = Effect.gen(function* () {
      const limits = Effect.map(
        Effect.flatMap(Layer.build(Layer.fresh(process)), (context) => Effect.provide(RateLimits.RateLimits, context)),
        (limits) => limits!
      )
      const [one, other] = [yield* limits, yield* limits]
      const left = (limits: RateLimits.RateLimitsService, actor: string) =>
        Effect.map(limits.request("192.0.2.1", actor), ({ headers }) =>
          Number(/r=(\d+)/.exec(headers["ratelimit"]!)![1])
        )
      /** Each attempt has a caller of its own, until both are seen to be counted in one place. */
      const areTogether = Effect.suspend(() => {
        const actor = crypto.randomUUID()
        return Effect.zipWith(left(one, actor), left(other, actor), (first, second) => first === 3 && second === 2)
      })
      yield* Effect.promise(() => untilSo(() => Effect.runPromise(areTogether)))
      yield* Effect.promise(() => own.close())
      const areApart = Effect.map(areTogether, (together) => !together)
      yield* Effect.promise(() => untilSo(() => Effect.runPromise(areApart)))
      assert.deepStrictEqual(yield* Effect.all([left(one, "ada"), left(one, "ada"), left(other, "ada")]), [3, 2, 3])
    })
    await Effect.runPromise(Effect.scoped(program))
  })
})
