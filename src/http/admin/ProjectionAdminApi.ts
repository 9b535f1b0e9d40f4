/** What an operator sees of the projections and does about them. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { CommandBoundary, QueryBoundary } from "../api/Boundary.ts"
import { AdminProblems } from "../problems/AdminProblems.ts"
import { Problems } from "../problems/Problems.ts"
import { readErrors } from "../api/EndpointErrors.ts"
import { DifferenceView, ProjectionView, RebuildRequest, RebuildView } from "./AdminViews.ts"

const params = { name: Schema.String }
const error = [AdminProblems.UnknownProjection, Problems.DatabaseUnavailable, Problems.Draining]

const StreamId = Schema.String.check(
  Schema.isPattern(/^[a-z]+-[^\p{Cc}\p{Cs}]{1,200}$/u, { expected: "a stream id such as order-ord_…" })
)

const AuditRequest = Schema.Struct({
  streams: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000 }))),
  streamId: Schema.optionalKey(StreamId)
})
  .check(
    Schema.makeFilter(({ streamId, streams }) => streamId === undefined || streams === undefined, {
      expected: "either streams or streamId"
    })
  )
  .annotate({ description: "so many streams picked at random (100 without it), or this one" })

export class ProjectionAdminApi extends HttpApiGroup.make("projections")
  .add(
    HttpApiEndpoint.get("list", "/admin/projections", {
      success: Schema.Struct({ data: Schema.Array(ProjectionView) }),
      error: readErrors
    })
      .annotate(OpenApi.Summary, "How they are, and what their audits have found")
      .middleware(QueryBoundary),
    HttpApiEndpoint.post("pause", "/admin/projections/:name/pause", { params, success: ProjectionView, error })
      .annotate(OpenApi.Summary, "Apply nothing until it is resumed")
      .middleware(CommandBoundary),
    HttpApiEndpoint.post("resume", "/admin/projections/:name/resume", { params, success: ProjectionView, error })
      .annotate(OpenApi.Summary, "Go on; also after it has stopped, once the cause is mended")
      .middleware(CommandBoundary),
    HttpApiEndpoint.post("rebuild", "/admin/projections/:name/rebuild", {
      params,
      payload: RebuildRequest,
      success: HttpApiSchema.WithHeaders(RebuildView.pipe(HttpApiSchema.status(202)), { location: Schema.String }),
      error: [...error, AdminProblems.RebuildRefused]
    })
      .annotate(OpenApi.Summary, "Build the view anew beside the one that serves, then put it in its place")
      .middleware(CommandBoundary),
    HttpApiEndpoint.post("audit", "/admin/projections/:name/audit", {
      params,
      payload: AuditRequest,
      success: Schema.Struct({ compared: Schema.Int, data: Schema.Array(DifferenceView) }),
      error: [...error, AdminProblems.UnknownStream, AdminProblems.AuditRefused]
    })
      .annotate(OpenApi.Summary, "Compare view rows with the log now; how many, and the differences")
      .middleware(CommandBoundary),
    HttpApiEndpoint.post("repair", "/admin/projections/:name/repair", {
      params,
      payload: Schema.Struct({ streamId: StreamId }),
      success: Schema.Struct({ repaired: Schema.Boolean, difference: Schema.optionalKey(DifferenceView) }),
      error: [...error, AdminProblems.UnknownStream, AdminProblems.RepairRefused]
    })
      .annotate(OpenApi.Summary, "Put the fold of the log in the place of one row")
      .middleware(CommandBoundary)
  )
  .annotateMerge(OpenApi.annotations({ title: "Projections", description: "What makes the views." })) {}
