/**
 * Keeps cached orders in Redis or Valkey, by the client that Effect has for it. A server that is away costs nothing but the hits: it is
 * not waited for, neither at the start nor by a read, and is asked again once a look each half second has found it. One that
 * refuses to write (it is full, or a replica) is read all the same.
 */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import { Context, Duration, Effect, Exit, Layer, Logger, Redacted, Scope } from "effect"
import * as Redis from "effect/persistence/Redis"
import { withinSeconds } from "../../database/SqlFailure.ts"
import * as OutageLog from "../../supervision/OutageLog.ts"
import { supervise } from "../../supervision/Supervisor.ts"
import { type CachedValue, CacheUnavailable, OrderCache } from "../OrderCache.ts"

export interface RedisOptions {
  readonly url: Redacted.Redacted
  readonly ttl: Duration.Duration
}

/** A read waits at most so many seconds for the cache. */
const longestAnswer = 0.1
const lookEvery = "500 millis"

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

const complaintOf = (message: unknown): string => {
  const cause = Array.isArray(message) ? message.find((part) => part instanceof Error) : undefined
  // The error of a name with several addresses has a code and no message.
  return cause === undefined ? "" : `: ${cause.message || ("code" in cause ? String(cause.code) : cause.name)}`
}

const problemOf = ({ cause }: Redis.RedisError): string => (cause instanceof Error ? cause.message : String(cause))

/** The server itself refuses with a word in capitals, as `OOM` or `READONLY`; so it is there. */
const isRefusal = (error: Redis.RedisError): boolean => /^[A-Z]+ /.test(problemOf(error))

const make = Effect.fnUntraced(function* ({ ttl, url }: RedisOptions) {
  const outage = OutageLog.make("Using the cache")
  const refusal = OutageLog.make("Writing to the cache")
  let redis: Redis.Redis["Service"] | undefined
  /** The client said this last of its connection. */
  let complaint = ""

  const leave = (problem: string) =>
    Effect.suspend(() => {
      redis = undefined
      return Effect.as(outage.failed(`${problem}. The database is read meanwhile.`), new CacheUnavailable({ problem }))
    })

  const bounded = <A>(self: Effect.Effect<A, Redis.RedisError>) =>
    self.pipe(
      Effect.mapError(problemOf),
      withinSeconds(longestAnswer),
      Effect.mapError((problem) => (typeof problem === "string" ? problem : "it does not answer"))
    )

  /** Runs a command, if the server is there; one that fails is not asked again until it was found. */
  const use = <A>(command: (redis: Redis.Redis["Service"]) => Effect.Effect<A, Redis.RedisError>) =>
    Effect.suspend(() =>
      redis === undefined
        ? Effect.fail(new CacheUnavailable({ problem: "The cache is away." }))
        : Effect.catch(bounded(command(redis)), (problem) => Effect.flatMap(leave(problem), Effect.fail))
    )

  /** Connects, however long that takes, and connects anew whenever the connection is lost. */
  const client = NodeRedis.layer({
    url: Redacted.value(url),
    disableOfflineQueue: true,
    pingInterval: 1_000,
    socket: {
      connectTimeout: 1_000,
      socketTimeout: 3_000,
      reconnectStrategy: (tries) => Math.min(50 * 2 ** tries, 500)
    }
  }).pipe(Layer.provide(Logger.layer([Logger.make(({ message }) => (complaint = complaintOf(message)))])))

  const connected = Effect.gen(function* () {
    const scope = yield* Effect.scope
    const context = yield* Layer.buildWithScope(client, scope)
    const connection = Context.get(context, NodeRedis.NodeRedis).client
    // Its own end waits for the answers of a server that may hang.
    yield* Scope.addFinalizer(
      scope,
      Effect.sync(() => (connection.isOpen ? connection.destroy() : undefined))
    )
    const found = Context.get(context, Redis.Redis)
    while (true) {
      if (redis === undefined) {
        const pong = yield* Effect.exit(bounded(found.send("PING")))
        if (Exit.isSuccess(pong)) {
          redis = found
          yield* outage.works
        }
      }
      yield* Effect.sleep(lookEvery)
    }
  }).pipe(Effect.scoped)

  const sayAway = Effect.delay(
    Effect.suspend(() => (redis === undefined ? Effect.asVoid(leave(`it can't be reached${complaint}`)) : Effect.void)),
    "1 second"
  )
  yield* Effect.forkScoped(sayAway)
  yield* supervise(
    "order-cache-connection",
    Effect.ensuring(
      connected,
      Effect.sync(() => (redis = undefined))
    )
  )

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
            Effect.catchIf(isRefusal, (error) => refusal.failed(`${problemOf(error)}; what it has is read meanwhile`))
          )
      )
  }
  return cache
})

export const layer = (options: RedisOptions) => Layer.effect(OrderCache, make(options))
