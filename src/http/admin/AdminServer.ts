/** Serves the operators' API on a port of its own, in the same process. `App` calls this. */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerError } from "effect/http"
import { HttpApiBuilder, HttpApiScalar } from "effect/http-api"
import * as Guard from "../guard/Guard.ts"
import * as EndpointMiddleware from "../listener/EndpointMiddleware.ts"
import { HttpLimits } from "../listener/HttpLimits.ts"
import * as Listener from "../listener/Listener.ts"
import * as RouterMiddleware from "../listener/RouterMiddleware.ts"
import { AdminApi } from "./AdminApi.ts"
import * as AdminHandlers from "./AdminHandlers.ts"

export interface Options {
  readonly host: string
  readonly port: number
  /** `true` lets the server listen on any free port if `port` is in use; otherwise the start fails. */
  readonly orAnother: boolean
}

const openapiPath = "/openapi.json"
const docsPath = "/docs"

const docs = HttpApiScalar.layer(AdminApi, { path: docsPath, scalar: { withDefaultFonts: false } })

const routes = Layer.mergeAll(HttpApiBuilder.layer(AdminApi, { openapiPath }), docs).pipe(
  Layer.provide(AdminHandlers.layer),
  Layer.provide(Layer.merge(EndpointMiddleware.layer, Guard.layer(AdminApi))),
  Layer.provideMerge(RouterMiddleware.layer({ api: AdminApi, pages: [openapiPath, docsPath], otherSites: "none" }))
)

const isInUse = ({ cause }: HttpServerError.ServeError): boolean =>
  cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE"

const listening = Effect.flatMap(Listener.url, (url) =>
  Effect.logInfo(`The admin port listens at ${url}/docs, metrics at /metrics.`)
)

export const layer = ({ host, orAnother, port }: Options) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const limits = yield* HttpLimits
      const server = yield* Listener.make(limits, () => false)
      const listen = (port: number) =>
        NodeHttpServer.layer(server, { host, port, gracefulShutdownTimeout: limits.shutdown })
      const another = (error: HttpServerError.ServeError) =>
        Layer.unwrap(
          Effect.gen(function* () {
            if (!orAnother || !isInUse(error)) return yield* Effect.fail(error)
            yield* Effect.logWarning(`Port ${port} is in use; the port for operators is another one.`)
            return listen(0)
          })
        )
      const listener = Layer.catchTag(listen(port), "ServeError", another)
      const options = { routerConfig: Listener.routerConfig, disableLogger: true, disableListenLog: true }
      // The context of this layer (its router, its memo map) must not get into another server, so it is built apart.
      const serve = Layer.effectDiscard(Layer.build(HttpRouter.serve(routes, options)))
      return Layer.effectDiscard(listening).pipe(Layer.provideMerge(serve), Layer.provideMerge(listener))
    })
  )
