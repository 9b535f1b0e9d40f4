/**
 * Defines the operators' API: projections, rebuilds, parked streams, and this process. `AdminServer` serves it on a
 * port of its own, which only operators should reach; `AdminHandlers` answers it.
 */
import { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import * as AllowedRoles from "../api/AllowedRoles.ts"
import { Authorized, Boundary, CommandBoundary, QueryBoundary } from "../api/Boundary.ts"
import { readErrors } from "../api/EndpointErrors.ts"
import * as Document from "../api/openapi/Document.ts"
import { explanation } from "../api/SystemApi.ts"
import { AdminProblems } from "../problems/AdminProblems.ts"
import { Problems } from "../problems/Problems.ts"
import * as View from "./AdminViews.ts"
import { KeyAdminApi } from "./KeyAdminApi.ts"
import { WebhookAdminApi } from "./WebhookAdminApi.ts"

const unavailable = [Problems.DatabaseUnavailable, Problems.Draining]

const projectionNamed = {
  params: { name: Schema.String },
  error: [AdminProblems.UnknownProjection, ...unavailable]
}

class ProjectionAdminApi extends HttpApiGroup.make("projections")
  .add(
    HttpApiEndpoint.get("list", "/admin/projections", { success: View.listOf(View.ProjectionView), error: readErrors })
      .annotate(OpenApi.Summary, "Lists the projections, with what their audits have found, and the subscriptions")
      .middleware(QueryBoundary),
    HttpApiEndpoint.post("pause", "/admin/projections/:name/pause", {
      ...projectionNamed,
      success: View.ProjectionView
    })
      .annotate(OpenApi.Summary, "Pauses a projection: it applies nothing until it is resumed")
      .middleware(CommandBoundary),
    HttpApiEndpoint.post("resume", "/admin/projections/:name/resume", {
      ...projectionNamed,
      success: View.ProjectionView
    })
      .annotate(OpenApi.Summary, "Resumes a projection, also after it has stopped, once the cause is removed")
      .middleware(CommandBoundary),
    HttpApiEndpoint.post("rewind", "/admin/projections/:name/rewind", {
      ...projectionNamed,
      payload: View.RewindRequest,
      success: View.ProjectionView,
      error: [...projectionNamed.error, AdminProblems.RewindRefused, Problems.InvalidToken]
    })
      .annotate(OpenApi.Summary, "Makes a subscription go on behind another point of the log")
      .middleware(CommandBoundary),
    HttpApiEndpoint.post("rebuild", "/admin/projections/:name/rebuild", {
      ...projectionNamed,
      payload: View.RebuildRequest,
      success: HttpApiSchema.WithHeaders(View.RebuildView.pipe(HttpApiSchema.status(202)), { location: Schema.String }),
      error: [...projectionNamed.error, AdminProblems.RebuildRefused]
    })
      .annotate(OpenApi.Summary, "Builds the view anew beside the one that serves, then puts it in its place")
      .middleware(CommandBoundary),
    HttpApiEndpoint.post("audit", "/admin/projections/:name/audit", {
      ...projectionNamed,
      payload: View.AuditRequest,
      success: Schema.Struct({ compared: Schema.Int, data: Schema.Array(View.DifferenceView) }),
      error: [...projectionNamed.error, AdminProblems.UnknownStream, AdminProblems.AuditRefused]
    })
      .annotate(OpenApi.Summary, "Compares view rows with the log now; tells how many, and the differences")
      .middleware(CommandBoundary),
    HttpApiEndpoint.post("repair", "/admin/projections/:name/repair", {
      ...projectionNamed,
      payload: View.RepairRequest,
      success: Schema.Struct({ repaired: Schema.Boolean, difference: Schema.optionalKey(View.DifferenceView) }),
      error: [...projectionNamed.error, AdminProblems.UnknownStream, AdminProblems.RepairRefused]
    })
      .annotate(OpenApi.Summary, "Writes what the log says over one row")
      .middleware(CommandBoundary)
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Projections", description: "What makes the views, and what else follows the log." })
  ) {}

const id = { id: Schema.String.check(Schema.isUUID()) }

const rebuildChanged = {
  params: id,
  success: View.RebuildView,
  error: [AdminProblems.UnknownRebuild, AdminProblems.RebuildRefused, ...unavailable]
}

class RebuildAdminApi extends HttpApiGroup.make("rebuilds")
  .add(
    HttpApiEndpoint.get("list", "/admin/rebuilds", { success: View.listOf(View.RebuildView), error: readErrors })
      .annotate(OpenApi.Summary, "Lists rebuilds under way and ended, the newest first")
      .middleware(QueryBoundary),
    HttpApiEndpoint.get("get", "/admin/rebuilds/:id", {
      params: id,
      success: View.RebuildView,
      error: [...readErrors, AdminProblems.UnknownRebuild]
    })
      .annotate(OpenApi.Summary, "Tells how far a rebuild is")
      .middleware(QueryBoundary),
    HttpApiEndpoint.post("pause", "/admin/rebuilds/:id/pause", rebuildChanged)
      .annotate(OpenApi.Summary, "Pauses a rebuild")
      .middleware(CommandBoundary),
    HttpApiEndpoint.post("resume", "/admin/rebuilds/:id/resume", rebuildChanged)
      .annotate(OpenApi.Summary, "Resumes a rebuild, also after it was blocked")
      .middleware(CommandBoundary),
    HttpApiEndpoint.delete("abort", "/admin/rebuilds/:id", rebuildChanged)
      .annotate(OpenApi.Summary, "Aborts a rebuild; the view that serves goes on serving")
      .middleware(CommandBoundary)
  )
  .annotateMerge(OpenApi.annotations({ title: "Rebuilds", description: "Views being built anew." })) {}

const parkedResolved = {
  params: id,
  success: HttpApiSchema.NoContent,
  error: [AdminProblems.UnknownParkedStream, AdminProblems.RetryRefused, AdminProblems.StillFailing, ...unavailable]
}

class ParkedAdminApi extends HttpApiGroup.make("parked")
  .add(
    HttpApiEndpoint.get("list", "/admin/parked", { success: View.listOf(View.ParkedView), error: readErrors })
      .annotate(OpenApi.Summary, "Lists streams that are parked, or go on without events that were skipped")
      .middleware(QueryBoundary),
    HttpApiEndpoint.post("retry", "/admin/parked/:id/retry", parkedResolved)
      .annotate(OpenApi.Summary, "Applies what was held back, in order")
      .middleware(CommandBoundary),
    HttpApiEndpoint.post("skip", "/admin/parked/:id/skip", {
      ...parkedResolved,
      payload: View.SkipRequest,
      error: [...parkedResolved.error, AdminProblems.ParkedElsewhere]
    })
      .annotate(OpenApi.Summary, "Drops the one event that fails, for good, and applies the rest; name its version")
      .middleware(CommandBoundary)
  )
  .annotateMerge(OpenApi.annotations({ title: "Parked streams", description: "Streams with an event that fails." })) {}

class ProcessAdminApi extends HttpApiGroup.make("process")
  .add(
    HttpApiEndpoint.get("metrics", "/metrics", { success: View.Prometheus })
      .annotateMerge(AllowedRoles.operator("Gives all metrics in Prometheus' text format"))
      .annotate(AllowedRoles.OwnScope, "metrics:read"),
    HttpApiEndpoint.get("actors", "/admin/actors", { success: View.ActorsView }).annotate(
      OpenApi.Summary,
      "Tells how busy the actors are, and which ten are the busiest"
    ),
    HttpApiEndpoint.get("fibers", "/admin/fibers", { success: View.listOf(View.FiberView) }).annotate(
      OpenApi.Summary,
      "Lists what goes on in the background, how often each was started again, and the error that it had last"
    ),
    HttpApiEndpoint.get("config", "/admin/config", { success: View.listOf(View.SettingView) }).annotate(
      OpenApi.Summary,
      "Lists the settings, without secrets"
    ),
    explanation
  )
  .annotateMerge(OpenApi.annotations({ title: "Process", description: "This process." })) {}

const allErrors = { errors: "all" } as const

export class AdminApi extends HttpApi.make("ordinal-admin")
  .add(ProjectionAdminApi)
  .add(RebuildAdminApi)
  .add(ParkedAdminApi)
  .add(WebhookAdminApi)
  .add(KeyAdminApi)
  .add(ProcessAdminApi)
  .middleware(Authorized)
  .middleware(Boundary)
  .annotate(AllowedRoles.AllowedRoles, ["admin"])
  .annotate(HttpApi.ParamsParseOptions, allErrors)
  .annotate(HttpApi.HeadersParseOptions, allErrors)
  .annotate(HttpApi.PayloadParseOptions, { ...allErrors, onExcessProperty: "error" })
  .annotateMerge(
    OpenApi.annotations({
      title: "Ordinal for operators",
      ...Document.common,
      description:
        "Projections, parked streams, rebuilds, webhooks, metrics. Every error is an application/problem+json document."
    })
  ) {}
