/**
 * `node harness/servers/PushServer.ts`: the server with limits of event streams that no setting has, in milliseconds.
 */
import * as OrdersLayers from "../../src/orders/OrdersLayers.ts"
import { NodeRuntime } from "@effect/platform-node"
import { Duration, Effect, Layer } from "effect"
import * as AggregateLimits from "../../src/aggregate/AggregateLimits.ts"
import * as HttpLimits from "../../src/http/listener/HttpLimits.ts"
import { OpenStreams } from "../../src/http/push/OpenStreams.ts"
import * as PushLimits from "../../src/http/push/PushLimits.ts"
import { Readiness } from "../../src/http/handlers/Readiness.ts"
import * as Server from "../../src/http/listener/Server.ts"
import { Projections } from "../../src/projection/Projections.ts"

const { DATABASE_URL, HEARTBEAT, PING, SLOW_CLOSE, STALL } = process.env

const millis = (given: string | undefined, fallback: Duration.Duration) =>
  given === undefined ? fallback : Duration.millis(Number(given))

const limits: PushLimits.PushLimits = {
  ...PushLimits.defaults,
  heartbeat: millis(HEARTBEAT, PushLimits.defaults.heartbeat),
  ping: millis(PING, PushLimits.defaults.ping),
  stall: millis(STALL, PushLimits.defaults.stall),
  slowClose: millis(SLOW_CLOSE, PushLimits.defaults.slowClose)
}

/** Its campaigns are not about how long a command may take. */
const minute = Duration.minutes(1)
const patient = { ...AggregateLimits.defaults, commandDeadline: minute }

if (import.meta.main) {
  Server.layer({ host: "127.0.0.1", port: 0 }).pipe(
    Layer.provide(DATABASE_URL === undefined ? OrdersLayers.layerMemory : OrdersLayers.layerPostgres(DATABASE_URL)),
    Layer.provide(Layer.mergeAll(Projections.layerMemory, OpenStreams.layer)),
    Layer.provide(Layer.succeed(Readiness, { check: Effect.void })),
    Layer.provide(Layer.succeed(PushLimits.PushLimits, limits)),
    Layer.provide(Layer.succeed(AggregateLimits.AggregateLimits, patient)),
    Layer.provide(Layer.succeed(HttpLimits.HttpLimits, { ...HttpLimits.defaults, request: minute, keepAlive: minute })),
    Layer.launch,
    NodeRuntime.runMain
  )
}

/** This is the command that starts this server, for `ServerProcess.start`. */
export const command: ReadonlyArray<string> = [
  process.execPath,
  "--disable-warning=ExperimentalWarning",
  import.meta.filename
]
