/** The operators' API as data. It is served on a port of its own, which only operators should reach. */
import { HttpApi, OpenApi } from "effect/http-api"
import { Boundary } from "../api/Boundary.ts"
import { ParkedAdminApi } from "./ParkedAdminApi.ts"
import { ProcessAdminApi } from "./ProcessAdminApi.ts"
import { ProjectionAdminApi } from "./ProjectionAdminApi.ts"
import { RebuildAdminApi } from "./RebuildAdminApi.ts"

const allErrors = { errors: "all" } as const

export class AdminApi extends HttpApi.make("ordinal-admin")
  .add(ProjectionAdminApi)
  .add(RebuildAdminApi)
  .add(ParkedAdminApi)
  .add(ProcessAdminApi)
  .middleware(Boundary)
  .annotate(HttpApi.ParamsParseOptions, allErrors)
  .annotate(HttpApi.HeadersParseOptions, allErrors)
  .annotate(HttpApi.PayloadParseOptions, { ...allErrors, onExcessProperty: "error" })
  .annotateMerge(
    OpenApi.annotations({
      title: "Ordinal for operators",
      description:
        "Projections, parked streams, rebuilds, metrics. Every error is an application/problem+json document."
    })
  ) {}
