/**
 * Wires each layer once (this is the composition root), from the settings to a running server. Nothing else knows all
 * folders.
 */
import { Duration, Effect, Layer, Logger } from "effect"
import type { ServeError } from "effect/http/HttpServerError"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { AggregateLimits, defaults as aggregateDefaults } from "../aggregate/AggregateLimits.ts"
import { causeText } from "../database/CauseText.ts"
import { Database } from "../database/Database.ts"
import { withinSeconds } from "../database/SqlFailure.ts"
import { EventStore } from "../eventstore/EventStore.ts"
import * as AdminServer from "../http/admin/AdminServer.ts"
import { type ShownSetting, ShownSettings } from "../http/admin/AdminHandlers.ts"
import { Readiness } from "../http/handlers/Readiness.ts"
import { AllowedSites } from "../http/listener/AllowedSites.ts"
import { isLoopback } from "../http/listener/HostNames.ts"
import { HttpLimits, defaults as httpDefaults } from "../http/listener/HttpLimits.ts"
import * as Server from "../http/listener/Server.ts"
import { OpenStreams } from "../http/push/OpenStreams.ts"
import { PushLimits, defaults as pushDefaults } from "../http/push/PushLimits.ts"
import { OrderPolicies } from "../order/OrderPolicies.ts"
import * as DemoCatalog from "../orders/DemoCatalog.ts"
import { ProjectionLimits, defaults as projectionDefaults } from "../projection/ProjectionLimits.ts"
import * as CacheSettings from "./settings/CacheSettings.ts"
import * as ListenerSettings from "./settings/ListenerSettings.ts"
import * as Addresses from "./Addresses.ts"
import * as IdentitySettings from "./settings/IdentitySettings.ts"
import * as HeldPorts from "./HeldPorts.ts"
import * as KafkaSettings from "./KafkaSettings.ts"
import * as Logging from "./Logging.ts"
import * as Migrate from "./Migrate.ts"
import * as MongoSettings from "./settings/MongoSettings.ts"
import * as Roles from "./Roles.ts"
import * as ReplicaSettings from "./settings/ReplicaSettings.ts"
import * as Settings from "./Settings.ts"
import { listed } from "./SettingKinds.ts"
import * as TelemetrySettings from "./settings/TelemetrySettings.ts"
import * as Stopping from "./Stopping.ts"
import * as WebhookSettings from "./WebhookSettings.ts"
import { UnusableSetting } from "./UnusableSetting.ts"

const sites = (settings: Settings.Settings, hosts: AllowedSites["hosts"]) =>
  Layer.succeed(AllowedSites, {
    hosts,
    origins: listed(settings.ALLOWED_ORIGINS),
    proxies: listed(settings.TRUSTED_PROXIES)
  })

const limits = (settings: Settings.Settings) =>
  Layer.mergeAll(
    Layer.succeed(OrderPolicies, { autoConfirm: settings.AUTO_CONFIRM, shipRequires: settings.SHIP_REQUIRES }),
    Roles.layer(settings),
    Layer.succeed(AggregateLimits, {
      ...aggregateDefaults,
      mailbox: settings.MAILBOX,
      drain: settings.DRAIN,
      inFlight: settings.IN_FLIGHT,
      concurrentActivations: settings.ACTIVATIONS,
      residents: settings.RESIDENTS,
      residentBytes: settings.RESIDENT_MEGABYTES * 1024 ** 2,
      idle: settings.IDLE,
      commandDeadline: settings.COMMAND_DEADLINE,
      shutdown: settings.SHUTDOWN
    }),
    Layer.succeed(ProjectionLimits, {
      ...projectionDefaults,
      lease: settings.LEASE,
      auditEvery: settings.AUDIT_EVERY,
      auditStreams: settings.AUDIT_STREAMS,
      rebuildRate: settings.REBUILD_RATE
    }),
    Layer.succeed(PushLimits, {
      ...pushDefaults,
      connections: settings.STREAM_CONNECTIONS,
      heartbeat: settings.HEARTBEAT
    }),
    // Whoever has a token may call the server by any name.
    sites(settings, IdentitySettings.isOn(settings) ? "any" : listed(settings.ALLOWED_HOSTS)),
    Layer.succeed(HttpLimits, {
      ...httpDefaults,
      // Above the commands' own deadline, so that a command's own answer says what became of it.
      request: Duration.sum(settings.COMMAND_DEADLINE, Duration.seconds(5)),
      shutdown: settings.SHUTDOWN,
      connections: settings.CONNECTIONS
    })
  )

const database = (settings: Settings.Settings) =>
  Database.layer({
    url: settings.DATABASE_URL,
    ...(Roles.of(settings).has("query") ? ReplicaSettings.options(settings) : {}),
    schema: settings.DATABASE_SCHEMA,
    viewsSchema: settings.DATABASE_VIEWS_SCHEMA || undefined,
    allowPgliteInProduction: settings.ALLOW_PGLITE_IN_PRODUCTION,
    pools: {
      append: settings.POOL_APPEND,
      projections: Roles.of(settings).has("projector") ? settings.POOL_PROJECTIONS : 0,
      reads: settings.POOL_READS
    }
  })

/** Queries read it, and who makes the view fills it. */
const cache = (settings: Settings.Settings) => {
  const roles = Roles.of(settings)
  return roles.has("query") || roles.has("projector") ? CacheSettings.layer(settings) : Layer.empty
}

const demos = { embedded: DemoCatalog.layer, true: Layer.effectDiscard(DemoCatalog.fill), false: Layer.empty }

const orders = (settings: Settings.Settings) =>
  Layer.provideMerge(
    demos[Roles.of(settings).has("command") ? settings.DEMO : "false"],
    MongoSettings.orders(settings, database(settings))
  )

/**
 * This process is ready when its database stores events, or answers at least if others take the commands, until it is told to
 * stop; before its migration nobody asks. Checks at the same time share one trial, so that however many come, they don't
 * hold the log up.
 */
const readiness = (settings: Settings.Settings, refuse: Stopping.Stopping["refuse"]) =>
  Layer.effect(
    Readiness,
    Effect.gen(function* () {
      const { head, writable } = yield* EventStore
      const trial = Roles.of(settings).has("command") ? writable : Effect.asVoid(withinSeconds(2)(head))
      const [shared, forget] = yield* Effect.cachedInvalidateWithTTL(trial, "1 minute")
      return Readiness.of({ check: Effect.andThen(refuse, Effect.ensuring(shared, forget)) })
    })
  )

/** Lets a held port go and takes it for the server that is to answer there. */
const takeOver = <A, E, R>(letGo: keyof HeldPorts.HeldPorts["Service"], server: Layer.Layer<A, E, R>) =>
  Layer.unwrap(Effect.flatMap(HeldPorts.HeldPorts, (held) => Effect.as(held[letGo], server)))

/** Ends the start with a sentence about the settings that caused it. */
const refuse = <Provided>(error: UnusableSetting): Layer.Layer<Provided, UnusableSetting> => Layer.effectContext(error)

const refusePort =
  (port: HeldPorts.Port) =>
  <Provided>({ cause }: ServeError) =>
    refuse<Provided>(HeldPorts.unusable(cause, port))

const unusableDatabase = (error: SqlError) =>
  new UnusableSetting({ problem: `The database of DATABASE_URL can't be used: ${causeText(error)}` })

const refuseDatabase = <Provided>(error: SqlError) => refuse<Provided>(unusableDatabase(error))

/** The operators' port opens before the API's and closes after it, so that operators can watch both ends. */
const admin = (settings: Settings.Settings, shown: ReadonlyArray<ShownSetting>, port: HeldPorts.Port) =>
  takeOver("letGoAdmin", AdminServer.layer(port)).pipe(
    Layer.catchTag("ServeError", refusePort(port)),
    // On loopback the metrics are for everybody, but not for a page whose name was made to lead here (DNS rebinding).
    Layer.provide(isLoopback(port.host) ? sites(settings, listed(settings.ALLOWED_HOSTS)) : Layer.empty),
    Layer.provide(Layer.succeed(ShownSettings, shown))
  )

export const layer = Layer.unwrap(
  Effect.gen(function* () {
    const { isGiven, settings, shown } = yield* Settings.load
    const { api, admin: adminPort } = yield* Addresses.ports(settings, !isGiven("ADMIN_PORT"))
    const guards = Effect.all([
      Addresses.guard(settings, "HOST"),
      Addresses.guard(settings, "ADMIN_HOST"),
      Roles.check(settings),
      IdentitySettings.check(settings, isGiven)
    ])
    const { refuse: refuseStopping, stopped, stopping } = Stopping.make(settings.SHUTDOWN)
    return stopping.pipe(
      Layer.provideMerge(takeOver("letGo", Server.layer(api))),
      Layer.catchTag("ServeError", refusePort(api)),
      Layer.provide(admin(settings, shown, adminPort)),
      Layer.provide(WebhookSettings.layer(settings)),
      Layer.merge(Layer.catchTag(KafkaSettings.layer(settings, Roles.of(settings)), "SqlError", refuseDatabase)),
      Layer.provide(Layer.merge(readiness(settings, refuseStopping), OpenStreams.layer)),
      Layer.provide(IdentitySettings.layer(settings)),
      Layer.provide(Layer.catchTag(orders(settings), "SqlError", refuseDatabase)),
      Layer.provide(HeldPorts.HeldPorts.layer(api, adminPort)),
      Layer.provide(cache(settings)),
      Layer.provide(limits(settings)),
      Layer.provide(
        Layer.merge(
          ListenerSettings.tls(settings),
          ListenerSettings.admission(settings, IdentitySettings.isOn(settings))
        )
      ),
      Layer.provide(Layer.effectDiscard(guards)),
      Layer.provide(stopped),
      Layer.provide(Layer.provideMerge(TelemetrySettings.layer(settings), Logging.layer(settings)))
    )
  })
)

/** A command's own words are on stdout, so what is logged meanwhile is not. */
const loggedApart = Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])

/** Runs with the database of the settings, and opens nothing else of the server. */
export const withDatabase = <A, E, R>(use: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const { settings } = yield* Settings.load
    const logging = Layer.provideMerge(loggedApart, Logging.layer(settings))
    return yield* Effect.provide(use, Layer.provideMerge(database(settings), logging))
  }).pipe(Effect.catchIf(isSqlError, unusableDatabase))

export const migrate = (isDry: boolean) => withDatabase(isDry ? Migrate.preview : Migrate.run)

/** Runs with the orders of the settings, as a process does that takes commands alone, and opens nothing else of the server. */
export const withOrders = <A, E, R>(use: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const loaded = yield* Settings.load
    const settings: Settings.Settings = { ...loaded.settings, ROLE: "command", DEMO: "false" }
    const layer = orders(settings).pipe(Layer.provide(limits(settings)), Layer.provide(Logger.layer([])))
    return yield* Effect.provide(use, Layer.catchTag(layer, "SqlError", refuseDatabase))
  })
