/** Defines the HTTP API. Nothing here knows a server, so clients import it: `HttpApiClient.make(Api)` calls it. */
import { HttpApi, OpenApi } from "effect/http-api"
import { parseOptions } from "../../order/OrderRequest.ts"
import { Authorized, Boundary, ServedHere } from "./Boundary.ts"
import { CatalogApi } from "./CatalogApi.ts"
import { FulfilmentApi } from "./FulfilmentApi.ts"
import { OrderApi } from "./OrderApi.ts"
import { OrderQueryApi } from "./OrderQueryApi.ts"
import { ProjectionApi } from "./ProjectionApi.ts"
import { StreamApi } from "./StreamApi.ts"
import { SystemApi } from "./SystemApi.ts"
import * as Document from "./openapi/Document.ts"
import { eventSchemas } from "./openapi/EventSchemas.ts"

const allErrors = { errors: "all" } as const

export class Api extends HttpApi.make("ordinal")
  .add(OrderApi)
  .add(FulfilmentApi)
  .add(OrderQueryApi)
  .add(CatalogApi)
  .add(StreamApi)
  .add(ProjectionApi)
  .middleware(ServedHere)
  .middleware(Authorized)
  .add(SystemApi)
  .middleware(Boundary)
  .annotate(HttpApi.ParamsParseOptions, allErrors)
  .annotate(HttpApi.HeadersParseOptions, allErrors)
  .annotate(HttpApi.AdditionalSchemas, eventSchemas)
  .annotate(HttpApi.QueryParseOptions, parseOptions)
  .annotate(HttpApi.PayloadParseOptions, parseOptions)
  // Stored data was valid when it was stored, so neither the server nor a client judges it by today's bounds.
  .annotate(HttpApi.SuccessParseOptions, { disableChecks: true })
  .annotate(HttpApi.ErrorParseOptions, { disableChecks: true })
  .annotateMerge(
    OpenApi.annotations({
      title: "Ordinal",
      ...Document.common,
      description:
        "An event-sourced order service. A command is answered once its events are stored: with 202 and a receipt, or with 200 or 201 and the order if you send Prefer: wait=N. Every error is an application/problem+json document. A process that has a part of the work (its setting ROLE) answers what is for others with 503 not-served-here, or with 307 and the URL of a process that answers it."
    })
  ) {}
