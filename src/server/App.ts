/** The composition root: from the settings to a running server. */
import * as DemoCatalog from "../orders/DemoCatalog.ts"
import { Duration, Effect, Layer, Logger, Redacted, References } from "effect"
import * as AdminPort from "./AdminPort.ts"
import * as AdminServer from "../http/admin/AdminServer.ts"
import * as ProcessAdminHandlers from "../http/admin/ProcessAdminHandlers.ts"
import * as OrdersLayers from "../orders/OrdersLayers.ts"
import { Database } from "../database/Database.ts"
import * as CommandRetention from "../eventstore/CommandRetention.ts"
import { EventStore } from "../eventstore/EventStore.ts"
import { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import * as AggregateLimits from "../aggregate/AggregateLimits.ts"
import * as HttpLimits from "../http/listener/HttpLimits.ts"
import { isLoopback } from "../http/listener/HostNames.ts"
import { OpenStreams } from "../http/push/OpenStreams.ts"
import * as PushLimits from "../http/push/PushLimits.ts"
import { Readiness } from "../http/handlers/Readiness.ts"
import * as Server from "../http/listener/Server.ts"
import { OrderPolicies } from "../order/OrderPolicies.ts"
import * as ProjectionLimits from "../projection/ProjectionLimits.ts"
import { InvalidSetting } from "./Setting.ts"
import * as Settings from "./Settings.ts"
import * as ShownSettings from "./ShownSettings.ts"
import * as StartFailure from "./StartFailure.ts"

/** Until there is authentication, whoever reaches the port is the operator. */
const guardHost = Effect.fnUntraced(function* (settings: Settings.Settings, name: "HOST" | "ADMIN_HOST") {
  const host = settings[name]
  if (isLoopback(host)) return
  if (!settings.ALLOW_UNAUTHENTICATED) {
    return yield* new InvalidSetting({
      problem:
        `the setting ${name} is "${host}", which others can reach, and there is no authentication yet; ` +
        "use 127.0.0.1, or set ALLOW_UNAUTHENTICATED=true if something else guards the port"
    })
  }
  yield* Effect.logWarning(`listening on ${host} without authentication: everybody who reaches the port is an operator`)
})

const guardHosts = (settings: Settings.Settings) =>
  Layer.effectDiscard(Effect.andThen(guardHost(settings, "HOST"), guardHost(settings, "ADMIN_HOST")))

const database = (settings: Settings.Settings) =>
  Database.layer({
    url: Redacted.make(settings.DATABASE_URL),
    allowPgliteInProduction: settings.ALLOW_PGLITE_IN_PRODUCTION,
    pools: { append: settings.POOL_APPEND, projections: settings.POOL_PROJECTIONS, reads: settings.POOL_READS }
  })

const limits = (settings: Settings.Settings) =>
  Layer.succeed(AggregateLimits.AggregateLimits, {
    ...AggregateLimits.defaults,
    mailbox: settings.MAILBOX,
    drain: settings.DRAIN,
    inFlight: settings.IN_FLIGHT,
    concurrentActivations: settings.ACTIVATIONS,
    residents: settings.RESIDENTS,
    idle: settings.IDLE,
    commandDeadline: settings.COMMAND_DEADLINE,
    shutdown: settings.SHUTDOWN
  })

/** Above the commands' own deadline, so that it is they who say what became of a command. */
const httpLimits = (settings: Settings.Settings) =>
  Layer.succeed(HttpLimits.HttpLimits, {
    ...HttpLimits.defaults,
    request: Duration.sum(settings.COMMAND_DEADLINE, Duration.seconds(5)),
    shutdown: settings.SHUTDOWN
  })

const pushLimits = (settings: Settings.Settings) =>
  Layer.succeed(PushLimits.PushLimits, {
    ...PushLimits.defaults,
    connections: settings.STREAM_CONNECTIONS,
    heartbeat: settings.HEARTBEAT,
    origins: settings.ALLOWED_ORIGINS.split(",").filter((origin) => origin !== "")
  })

const projectionLimits = (settings: Settings.Settings) =>
  Layer.succeed(ProjectionLimits.ProjectionLimits, {
    ...ProjectionLimits.defaults,
    lease: settings.LEASE,
    auditEvery: settings.AUDIT_EVERY,
    auditStreams: settings.AUDIT_STREAMS,
    rebuildRate: settings.REBUILD_RATE
  })

const policies = (settings: Settings.Settings) =>
  Layer.succeed(OrderPolicies, { autoConfirm: settings.AUTO_CONFIRM, shipRequires: settings.SHIP_REQUIRES })

const retention = (settings: Settings.Settings) =>
  Layer.succeed(CommandRetention.CommandRetention, settings.IDEMPOTENCY_RETENTION)

const logging = (settings: Settings.Settings) => {
  const levels = { debug: "Debug", info: "Info", warning: "Warn", error: "Error" } as const
  return Layer.merge(
    Layer.succeed(References.MinimumLogLevel, levels[settings.LOG_LEVEL]),
    Logger.layer([settings.LOG_FORMAT === "json" ? Logger.consoleJson : Logger.consolePretty()])
  )
}

/** Ready = the database answers in time. What is not migrated or is draining never gets here. */
const readiness = Layer.effect(
  Readiness,
  Effect.map(EventStore, ({ head }) =>
    Readiness.of({
      check: head.pipe(
        Effect.timeoutOrElse({
          duration: Duration.seconds(2),
          orElse: () => Effect.fail(new DatabaseUnavailable({ retryAfter: 1 }))
        }),
        Effect.asVoid
      )
    })
  )
)

/** It is there before the API is and goes after it, so that what happens at either end can be watched. */
const admin = Effect.fnUntraced(function* (settings: Settings.Settings) {
  const shown = yield* ShownSettings.make
  const isDefault = shown.some((setting) => setting.name === "ADMIN_PORT" && setting.isDefault)
  const port = yield* AdminPort.choose(settings, isDefault)
  return AdminServer.layer({ host: settings.ADMIN_HOST, ...port }).pipe(
    Layer.provide(Layer.succeed(ProcessAdminHandlers.ShownSettings, shown)),
    Layer.catchTag("ServeError", (error) => {
      const problem = `ADMIN_HOST and ADMIN_PORT can't be listened on: ${StartFailure.said(error)}`
      return Layer.effectDiscard(Effect.fail(new InvalidSetting({ problem })))
    })
  )
})

export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const settings = yield* Settings.load
    return Server.layer({ host: settings.HOST, port: settings.PORT }).pipe(
      Layer.provide(yield* admin(settings)),
      Layer.provide(Layer.mergeAll(readiness, OpenStreams.layer)),
      Layer.provide(DemoCatalog.layer),
      Layer.provide(OrdersLayers.layer(database(settings))),
      Layer.provide(
        Layer.mergeAll(
          limits(settings),
          httpLimits(settings),
          pushLimits(settings),
          projectionLimits(settings),
          policies(settings),
          retention(settings)
        )
      ),
      Layer.provide(guardHosts(settings)),
      Layer.provide(logging(settings))
    )
  })
)
