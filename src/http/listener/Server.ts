/** Serves the API of orders, or one of your own, on Node's HTTP server (or Deno's, through `node:http`). */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, identity, Layer } from "effect"
import { HttpRouter } from "effect/http"
import { type HttpApi, HttpApiBuilder, type HttpApiGroup, HttpApiScalar } from "effect/http-api"
import { LoadShedding } from "../admission/LoadShedding.ts"
import { Identity } from "../../identity/Identity.ts"
import * as AllowedRoles from "../api/AllowedRoles.ts"
import { Api } from "../api/Api.ts"
import * as CatalogHandlers from "../handlers/CatalogHandlers.ts"
import * as Guard from "../guard/Guard.ts"
import * as EventSocket from "../push/EventSocket.ts"
import * as Elsewhere from "../handlers/Elsewhere.ts"
import * as EndpointMiddleware from "./EndpointMiddleware.ts"
import * as HomePage from "./HomePage.ts"
import { HttpLimits } from "./HttpLimits.ts"
import * as HotRoutes from "./HotRoutes.ts"
import * as Listener from "./Listener.ts"
import * as OrderHandlers from "../handlers/OrderHandlers.ts"
import * as OrderQueryHandlers from "../handlers/OrderQueryHandlers.ts"
import * as OpenStreams from "../push/OpenStreams.ts"
import * as ProjectionHandlers from "../handlers/ProjectionHandlers.ts"
import { PushLimits } from "../push/PushLimits.ts"
import * as CloseLog from "../transport/CloseLog.ts"
import * as RouterMiddleware from "./RouterMiddleware.ts"
import * as StreamHandlers from "../handlers/StreamHandlers.ts"
import * as SystemHandlers from "../handlers/SystemHandlers.ts"

const handlers = Layer.mergeAll(
  OrderHandlers.layer,
  OrderQueryHandlers.layer,
  CatalogHandlers.layer,
  StreamHandlers.layer,
  ProjectionHandlers.layer,
  SystemHandlers.layer
).pipe(Layer.provide(Layer.mergeAll(EndpointMiddleware.layer, Elsewhere.layer, Guard.layer(Api))))

const openapiPath = "/openapi.json"
const docsPath = "/docs"

const pages = [openapiPath, docsPath] as const

type Pages = RouterMiddleware.Options<never, never>["pages"]

const routesOf = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>,
  pages: Pages
) =>
  Layer.mergeAll(
    HttpApiBuilder.layer(api, { openapiPath }),
    // The documentation loads nothing from elsewhere.
    HttpApiScalar.layer(api, { path: docsPath, scalar: { withDefaultFonts: false } })
  ).pipe(Layer.provideMerge(RouterMiddleware.layer({ api, pages, otherSites: "allowed" })))

const routesWith = (pages: Pages) =>
  routesOf(Api, pages).pipe(Layer.provide(handlers), Layer.provide(EndpointMiddleware.layer))

/** Routes the API and its documentation, on any HTTP server. The page at `/` is the host's. */
export const routes = routesWith(pages)

const ownRoutes = Layer.merge(routesWith([...pages, HomePage.path]), HomePage.layer).pipe(
  Layer.provide(HotRoutes.layer)
)

const onRouter = { routerConfig: Listener.routerConfig, disableLogger: true, disableListenLog: true }

/** Says so once requests are answered. */
const listening = Layer.effectDiscard(Effect.flatMap(Listener.url, (url) => Effect.logInfo(`Listening on ${url}`)))

/** Only there a connection becomes another one. */
const isSocket = (url: string): boolean => url.startsWith("/events/ws")

interface Address {
  readonly host: string
  readonly port: number
}

/** Listens at a host and port. `GET /projections` needs `Projections`; where nothing is projected that is `Projections.layerMemory`. */
export const layer = (options: Address) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const limits = yield* HttpLimits
      const streams = yield* OpenStreams.OpenStreams
      const websocket = EventSocket.options(yield* PushLimits)
      const listener = yield* Listener.make(limits, isSocket)
      const shedding = yield* LoadShedding
      const protect = shedding?.protect ?? identity
      const sayClosing = yield* CloseLog.make(limits.shutdown, streams)
      const server = () => protect(sayClosing(OpenStreams.endBefore(listener(), streams)))
      return listening.pipe(
        Layer.provideMerge(HttpRouter.serve(ownRoutes, onRouter)),
        Layer.provideMerge(
          NodeHttpServer.layer(server, { ...options, gracefulShutdownTimeout: limits.shutdown, websocket })
        )
      )
    })
  )

/**
 * Serves an `HttpApi` of your own and its documentation (`/docs`, `/openapi.json`) at a host and port, with the limits,
 * headers and problem documents that the API of orders has. Provide the handlers of its groups. Where `Identity` is
 * provided, each endpoint has to declare its roles (`AllowedRoles`) and to have the middleware `Authorized`, which
 * `Guard.layer(api)` implements; an endpoint that does not ends the start.
 */
export const serve = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>,
  options: Address
) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const limits = yield* HttpLimits
      const server = yield* Listener.make(limits)
      if ((yield* Identity) !== undefined) AllowedRoles.rulesOf(api)
      return listening.pipe(
        Layer.provideMerge(HttpRouter.serve(routesOf(api, pages), onRouter)),
        Layer.provideMerge(NodeHttpServer.layer(server, { ...options, gracefulShutdownTimeout: limits.shutdown }))
      )
    })
  )
