/**
 * Keeps a connection to a Redis or Valkey, by the client that Effect has for it. A server that is away is not waited for, neither
 * at the start nor by a command, and is asked again once a look each half second has found it. The log says once that it went
 * away, and once that it is back.
 */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import { Context, Effect, Exit, Layer, Logger, Redacted, Scope } from "effect"
import * as Redis from "effect/persistence/Redis"
import { withinSeconds } from "../../database/SqlFailure.ts"
import * as OutageLog from "../../supervision/OutageLog.ts"
import { supervise } from "../../supervision/Supervisor.ts"

export interface ConnectionOptions {
  readonly url: Redacted.Redacted
  /** Begins the lines of the log: "Using the cache". */
  readonly subject: string
  /** Says what happens without it: "The database is read". */
  readonly meanwhile: string
  /** The name of the fiber that keeps the connection. */
  readonly fiber: string
}

/** A command waits at most so many seconds for its answer. */
const longestAnswer = 0.1
const lookEvery = "500 millis"

const complaintOf = (message: unknown): string => {
  const cause = Array.isArray(message) ? message.find((part) => part instanceof Error) : undefined
  // The error of a name with several addresses has a code and no message.
  return cause === undefined ? "" : `: ${cause.message || ("code" in cause ? String(cause.code) : cause.name)}`
}

export const problemOf = ({ cause }: Redis.RedisError): string =>
  cause instanceof Error ? cause.message : String(cause)

/** Makes the function that runs a command if the server is there, and fails with what is wrong otherwise. */
export const make = Effect.fnUntraced(function* ({ fiber, meanwhile, subject, url }: ConnectionOptions) {
  const outage = OutageLog.make(subject)
  let redis: Redis.Redis["Service"] | undefined
  /** The client said this last of its connection. */
  let complaint = ""

  const leave = (problem: string) =>
    Effect.suspend(() => {
      redis = undefined
      return Effect.as(outage.failed(`${problem}. ${meanwhile} meanwhile.`), problem)
    })

  const bounded = <A>(self: Effect.Effect<A, Redis.RedisError>) =>
    self.pipe(
      Effect.mapError(problemOf),
      withinSeconds(longestAnswer),
      Effect.mapError((problem) => (typeof problem === "string" ? problem : "it does not answer"))
    )

  /** One that fails is not asked again until it was found. */
  const use = <A>(command: (redis: Redis.Redis["Service"]) => Effect.Effect<A, Redis.RedisError>) =>
    Effect.suspend(() =>
      redis === undefined
        ? Effect.fail("it is away")
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
    fiber,
    Effect.ensuring(
      connected,
      Effect.sync(() => (redis = undefined))
    )
  )
  return use
})
