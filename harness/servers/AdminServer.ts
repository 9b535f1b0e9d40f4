/** Both ports of one process on a new database, as `App` puts them together, with a view that a test may poison. */
import { Context, Effect, Layer, Logger, ManagedRuntime, Metric, Redacted, type Scope } from "effect"
import { HttpServer } from "effect/http"
import { OpenApi } from "effect/http-api"
import { AdminApi } from "../../src/http/admin/AdminApi.ts"
import * as AdminServer from "../../src/http/admin/AdminServer.ts"
import { ShownSettings } from "../../src/http/admin/AdminHandlers.ts"
import * as OrdersLayers from "../../src/orders/OrdersLayers.ts"
import { Database } from "../../src/database/Database.ts"
import * as AggregateLimits from "../../src/aggregate/AggregateLimits.ts"
import { HttpLimits } from "../../src/http/listener/HttpLimits.ts"
import { OpenStreams } from "../../src/http/push/OpenStreams.ts"
import { Readiness } from "../../src/http/handlers/Readiness.ts"
import * as Server from "../../src/http/listener/Server.ts"
import * as EventSourcing from "../../src/kernel/EventSourcing.ts"
import type { Projection } from "../../src/projection/Projection.ts"
import { defaults, ProjectionLimits } from "../../src/projection/ProjectionLimits.ts"
import { Supervisor } from "../../src/supervision/Supervisor.ts"
import { CatalogViewProjection } from "../../src/views/catalog/CatalogViewProjection.ts"
import { OrderViewProjection } from "../../src/views/order/OrderViewProjection.ts"
import { checkOf } from "../http/Contract.ts"
import { type Answer } from "../clients/HttpClient.ts"
import { checkedClient, withCatalog } from "../clients/CheckedClient.ts"
import { placement } from "../fixtures/Shop.ts"
import { patience, patientLimits, portOf } from "./ApiServer.ts"
import { freshDatabase } from "../vitest/FreshDatabase.ts"
import * as StoredWebhooks from "../../src/webhooks/StoredWebhooks.ts"
import { defaults as webhookDefaults, WebhookOptions } from "../../src/webhooks/WebhookOptions.ts"
import { patientConnections } from "../clocks/Patience.ts"

/** A foreign page may not even read here. */
const check = checkOf(OpenApi.fromApi(AdminApi), [403])

class Ports extends Context.Service<Ports, { readonly api: number; readonly operators: number }>()("test/Ports") {}

const listen = Effect.fnUntraced(function* <E, R>(server: Layer.Layer<HttpServer.HttpServer, E, R>) {
  return portOf(Context.get(yield* Layer.build(server), HttpServer.HttpServer))
})

const ports = Layer.effect(
  Ports,
  Effect.gen(function* () {
    const at = { host: "127.0.0.1", port: 0 }
    const api = yield* listen(Server.layer(at))
    return { api, operators: yield* listen(AdminServer.layer({ ...at, orAnother: false })) }
  })
)

const views = [OrderViewProjection, CatalogViewProjection]

const backend = (url: string, own: Projection) =>
  OrdersLayers.layerNoDeps.pipe(
    Layer.provideMerge(
      EventSourcing.layer(Database.layer({ ...patientConnections, url: Redacted.make(url) }), {
        projections: views.map((view) => (view.name === own.name ? own : view))
      })
    )
  )

const surroundings = Layer.mergeAll(
  Layer.succeed(Readiness, { check: Effect.void }),
  Layer.succeed(HttpLimits, patientLimits),
  Layer.succeed(AggregateLimits.AggregateLimits, { ...AggregateLimits.defaults, commandDeadline: patience }),
  Layer.succeed(ShownSettings, [{ name: "PORT", value: "1", isDefault: false, meaning: "a port" }]),
  // Only when a test asks for one.
  Layer.succeed(ProjectionLimits, { ...defaults, auditStreams: 0 }),
  Logger.layer([])
)

export const start = async (
  projection: Projection = OrderViewProjection,
  database: Effect.Effect<string, never, Scope.Scope> = freshDatabase,
  webhooks: Partial<WebhookOptions> = {}
) => {
  const layer = Layer.unwrap(
    Effect.map(database, (url) =>
      ports.pipe(
        Layer.provideMerge(OpenStreams.layer),
        Layer.provideMerge(StoredWebhooks.layer),
        Layer.provideMerge(backend(url, projection)),
        Layer.provideMerge(surroundings),
        Layer.provideMerge(Layer.succeed(WebhookOptions, { ...webhookDefaults, ...webhooks })),
        // Its own, whatever else runs in this process.
        Layer.provideMerge(Layer.succeed(Metric.MetricRegistry, new Map())),
        Layer.provideMerge(Layer.succeed(Supervisor.reference, new Supervisor()))
      )
    )
  )
  const runtime = ManagedRuntime.make(layer)
  const { api, operators } = await runtime.runPromise(Ports)
  const url = `http://127.0.0.1:${api}`
  return {
    url,
    api: await withCatalog(checkedClient(url)),
    operators: checkedClient(`http://127.0.0.1:${operators}`, check),
    run: runtime.runPromise,
    stop: () => runtime.dispose()
  }
}

export type Shop = Awaited<ReturnType<typeof start>>

/** Places an order and waits until the view has it, or says at once that it is placed. */
export const place = async ({ api }: Shop, wait?: "wait"): Promise<string> => {
  const { body } = await api.send("POST", "/orders", placement(), wait === undefined ? {} : { prefer: "wait=30" })
  return body.orderId
}

/** The order view's entry in an answer that lists projections. */
export const orderView = ({ body }: Answer) =>
  body.data.find(({ name }: { readonly name: string }) => name === OrderViewProjection.name)

/** Gives the value of a series, as `name{label="value"}`. */
export const metric = async ({ operators }: Shop, series: string): Promise<number | undefined> => {
  const { text } = await operators.get("/metrics")
  const line = text.split("\n").find((line) => line.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}
