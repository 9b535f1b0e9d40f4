/** The HTTP API as data: importable by clients, since nothing here knows of a server. `HttpApiClient.make(Api)` calls it. */
import { HttpApi, OpenApi } from "effect/http-api"
import { parseOptions } from "../../order/OrderRequest.ts"
import { Boundary } from "./Boundary.ts"
import { CatalogApi } from "./CatalogApi.ts"
import { FulfilmentApi } from "./FulfilmentApi.ts"
import { OrderApi } from "./OrderApi.ts"
import { OrderQueryApi } from "./OrderQueryApi.ts"
import { ProjectionApi } from "./ProjectionApi.ts"
import { StreamApi } from "./StreamApi.ts"
import { SystemApi } from "./SystemApi.ts"

const allErrors = { errors: "all" } as const

export class Api extends HttpApi.make("ordinal")
  .add(OrderApi)
  .add(FulfilmentApi)
  .add(OrderQueryApi)
  .add(CatalogApi)
  .add(StreamApi)
  .add(ProjectionApi)
  .add(SystemApi)
  .middleware(Boundary)
  .annotate(HttpApi.ParamsParseOptions, allErrors)
  .annotate(HttpApi.HeadersParseOptions, allErrors)
  .annotate(HttpApi.QueryParseOptions, parseOptions)
  .annotate(HttpApi.PayloadParseOptions, parseOptions)
  .annotateMerge(
    OpenApi.annotations({
      title: "Ordinal",
      description:
        "Orders, event-sourced. A command answers once its events are stored: 202 with a receipt, or 200/201 with the order if you send Prefer: wait=N. Every error is an application/problem+json document."
    })
  ) {}
