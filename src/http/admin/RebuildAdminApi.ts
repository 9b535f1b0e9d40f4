import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { CommandBoundary, QueryBoundary } from "../api/Boundary.ts"
import { AdminProblems } from "../problems/AdminProblems.ts"
import { Problems } from "../problems/Problems.ts"
import { readErrors } from "../api/EndpointErrors.ts"
import { RebuildView } from "./AdminViews.ts"

const params = { id: Schema.String.check(Schema.isUUID()) }
const changed = {
  params,
  success: RebuildView,
  error: [AdminProblems.UnknownRebuild, AdminProblems.RebuildRefused, Problems.DatabaseUnavailable, Problems.Draining]
}

export class RebuildAdminApi extends HttpApiGroup.make("rebuilds")
  .add(
    HttpApiEndpoint.get("list", "/admin/rebuilds", {
      success: Schema.Struct({ data: Schema.Array(RebuildView) }),
      error: readErrors
    })
      .annotate(OpenApi.Summary, "Those under way and those ended, the newest first")
      .middleware(QueryBoundary),
    HttpApiEndpoint.get("get", "/admin/rebuilds/:id", {
      params,
      success: RebuildView,
      error: [...readErrors, AdminProblems.UnknownRebuild]
    })
      .annotate(OpenApi.Summary, "How far it is")
      .middleware(QueryBoundary),
    HttpApiEndpoint.post("pause", "/admin/rebuilds/:id/pause", changed)
      .annotate(OpenApi.Summary, "Stop for a while")
      .middleware(CommandBoundary),
    HttpApiEndpoint.post("resume", "/admin/rebuilds/:id/resume", changed)
      .annotate(OpenApi.Summary, "Go on; also after it was blocked")
      .middleware(CommandBoundary),
    HttpApiEndpoint.delete("abort", "/admin/rebuilds/:id", changed)
      .annotate(OpenApi.Summary, "Give it up; what serves goes on serving")
      .middleware(CommandBoundary)
  )
  .annotateMerge(OpenApi.annotations({ title: "Rebuilds", description: "Views being built anew." })) {}
