/** The API on Node's HTTP server (or Deno's, through `node:http`). */
import { createServer } from "node:http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Duration, Effect, Layer } from "effect"
import { HttpRouter } from "effect/http"
import { HttpApiBuilder, HttpApiScalar } from "effect/http-api"
import { Api } from "./Api.ts"
import * as CatalogHandlers from "./CatalogHandlers.ts"
import * as EventSocket from "./EventSocket.ts"
import * as FulfilmentHandlers from "./FulfilmentHandlers.ts"
import * as Guards from "./Guards.ts"
import { closesGracefully } from "./GracefulClose.ts"
import { HttpLimits } from "./HttpLimits.ts"
import * as OrderHandlers from "./OrderHandlers.ts"
import * as OrderQueryHandlers from "./OrderQueryHandlers.ts"
import { answerParserErrors } from "./ParserErrors.ts"
import * as OpenStreams from "./OpenStreams.ts"
import { PushLimits } from "./PushLimits.ts"
import * as RequestFrame from "./RequestFrame.ts"
import * as StreamHandlers from "./StreamHandlers.ts"
import * as SystemHandlers from "./SystemHandlers.ts"

const handlers = Layer.mergeAll(
  OrderHandlers.layer,
  FulfilmentHandlers.layer,
  OrderQueryHandlers.layer,
  CatalogHandlers.layer,
  StreamHandlers.layer,
  SystemHandlers.layer
).pipe(Layer.provide(Guards.layer))

const [openapiPath, docsPath] = RequestFrame.pages

/** The documentation loads nothing from elsewhere. */
const docs = HttpApiScalar.layer(Api, { path: docsPath, scalar: { withDefaultFonts: false } })

/** Everything that is routed; for any HTTP server. */
export const routes = Layer.mergeAll(HttpApiBuilder.layer(Api, { openapiPath }), docs).pipe(
  Layer.provide(handlers),
  Layer.provide(Guards.layer),
  Layer.provideMerge(RequestFrame.layer)
)

// Paths are what the API says, letter by letter; ids of any length are judged by their schema.
const routerConfig = { caseSensitive: true, ignoreDuplicateSlashes: false, maxParamLength: 16 * 1024 }

const server = (limits: HttpLimits, streams: OpenStreams.OpenStreams["Service"]) => () => {
  const server = createServer({
    // Refused by the frame, with a problem document.
    requireHostHeader: false,
    headersTimeout: Duration.toMillis(limits.headers),
    // The body's own timeout comes first; this one is for what it does not see.
    requestTimeout: Duration.toMillis(limits.headers) + Duration.toMillis(limits.body),
    keepAliveTimeout: Duration.toMillis(limits.keepAlive),
    connectionsCheckingInterval: Math.min(1000, Duration.toMillis(limits.headers) / 2)
  })
  return OpenStreams.endsFirst(closesGracefully(answerParserErrors(server)), streams)
}

export const layer = (options: { readonly host: string; readonly port: number }) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const limits = yield* HttpLimits
      const pushLimits = yield* PushLimits
      const streams = OpenStreams.make(pushLimits.connections)
      const websocket = EventSocket.options(pushLimits)
      return HttpRouter.serve(routes, { routerConfig, disableLogger: true }).pipe(
        Layer.provide(Layer.succeed(OpenStreams.OpenStreams, streams)),
        Layer.provideMerge(
          NodeHttpServer.layer(server(limits, streams), {
            ...options,
            gracefulShutdownTimeout: limits.shutdown,
            websocket
          })
        )
      )
    })
  )
