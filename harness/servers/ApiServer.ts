/** A real server on a free port, over the in-memory order service or over a stub of it, and a small client. */
import * as OrdersLayers from "../../src/orders/OrdersLayers.ts"
import { Duration, Effect, Layer, Logger, ManagedRuntime, References, Tracer } from "effect"
import { HttpServer } from "effect/http"
import * as AggregateLimits from "../../src/aggregate/AggregateLimits.ts"
import * as RateLimits from "../../src/http/admission/RateLimits.ts"
import * as RateLimitStore from "../../src/http/admission/RateLimitStore.ts"
import * as AllowedSites from "../../src/http/listener/AllowedSites.ts"
import { HttpLimits, defaults } from "../../src/http/listener/HttpLimits.ts"
import { OpenStreams } from "../../src/http/push/OpenStreams.ts"
import * as PushLimits from "../../src/http/push/PushLimits.ts"
import { Caller } from "../../src/http/handlers/Caller.ts"
import { Identity, type IdentityService } from "../../src/identity/Identity.ts"
import { Elsewhere, type Others } from "../../src/http/handlers/Elsewhere.ts"
import { Readiness } from "../../src/http/handlers/Readiness.ts"
import * as Server from "../../src/http/listener/Server.ts"
import { Orders } from "../../src/orders/Orders.ts"
import { Projections } from "../../src/projection/Projections.ts"
import { checkedClient } from "../clients/CheckedClient.ts"

export interface Options {
  readonly orders?: Layer.Layer<Orders, unknown>
  readonly projections?: Layer.Layer<Projections, unknown>
  readonly ready?: Readiness["Service"]["check"]
  readonly limits?: Partial<HttpLimits>
  readonly push?: Partial<PushLimits.PushLimits>
  readonly elsewhere?: { readonly command?: Others; readonly query?: Others }
  readonly sites?: Partial<AllowedSites.AllowedSites>
  readonly quotas?: Partial<RateLimits.Quotas>
  readonly caller?: Caller
  /** Without it nobody is asked who they are. */
  readonly identity?: IdentityService
  readonly logs?: (line: string) => void
  /** Without it nothing records spans, as in a process that sends them nowhere. */
  readonly tracer?: Tracer.Tracer
}

/** The methods that a test needs; whatever else is called is a defect. */
export const stub = (methods: Partial<Orders["Service"]>): Layer.Layer<Orders> =>
  Layer.succeed(
    Orders,
    new Proxy(methods, {
      get: (target, name) =>
        Reflect.get(target, name) ?? (() => Effect.die(new Error(`${String(name)} is not part of this test`)))
    }) as Orders["Service"]
  )

/** However long the machine is held up, nobody gives a command up or hangs up, unless the test is about that. */
export const patience = Duration.minutes(1)

export const patientLimits = { ...defaults, headers: patience, body: patience, request: patience, keepAlive: patience }

const rateLimits = (quotas: Partial<RateLimits.Quotas>, proxies: ReadonlyArray<string> = []) =>
  Layer.provide(
    RateLimits.layer({ caller: 0, address: 0, failures: 0, window: Duration.hours(1), ...quotas }, proxies),
    RateLimitStore.layerMemory()
  )

/** The port that a server got. */
export const portOf = ({ address }: HttpServer.HttpServer["Service"]): number => {
  if (!("port" in address)) throw new Error("the server did not get a port")
  return address.port
}

export const start = async (options: Options = {}) => {
  const logger = Logger.make(({ cause, fiber, message }) => {
    const annotations = fiber.getRef(References.CurrentLogAnnotations)
    const line = { message, cause: String(cause), annotations }
    options.logs?.(JSON.stringify(line, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value)))
  })
  const layer = Server.layer({ host: "127.0.0.1", port: 0 }).pipe(
    Layer.provide(options.orders ?? OrdersLayers.layerMemory),
    Layer.provide(options.projections ?? Projections.layerMemory),
    Layer.provide(OpenStreams.layer),
    Layer.provide(Layer.succeed(Readiness, { check: options.ready ?? Effect.void })),
    Layer.provide(Layer.succeed(HttpLimits, { ...patientLimits, ...options.limits })),
    Layer.provide(
      Layer.succeed(AggregateLimits.AggregateLimits, { ...AggregateLimits.defaults, commandDeadline: patience })
    ),
    Layer.provide(Layer.succeed(PushLimits.PushLimits, { ...PushLimits.defaults, ...options.push })),
    Layer.provide(Layer.succeed(AllowedSites.AllowedSites, { ...AllowedSites.defaults, ...options.sites })),
    Layer.provide(Layer.succeed(Identity, options.identity)),
    Layer.provide(Layer.succeed(Elsewhere, options.elsewhere ?? {})),
    Layer.provide(options.quotas === undefined ? Layer.empty : rateLimits(options.quotas, options.sites?.proxies)),
    Layer.provide(Layer.succeed(Caller, options.caller ?? {})),
    Layer.provide(Logger.layer([logger])),
    Layer.provide(options.tracer === undefined ? Layer.empty : Layer.succeed(Tracer.Tracer, options.tracer))
  )
  const runtime = ManagedRuntime.make(layer)
  const port = portOf(await runtime.runPromise(HttpServer.HttpServer))
  return { ...checkedClient(`http://127.0.0.1:${port}`), port, stop: () => runtime.dispose() }
}

export type TestServer = Awaited<ReturnType<typeof start>>
