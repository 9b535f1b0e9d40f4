import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { CommandBoundary, QueryBoundary } from "../api/Boundary.ts"
import { AdminProblems } from "../problems/AdminProblems.ts"
import { Problems } from "../problems/Problems.ts"
import { readErrors } from "../api/EndpointErrors.ts"
import { ParkedView } from "./AdminViews.ts"

const tried = {
  params: { id: Schema.String.check(Schema.isUUID()) },
  success: HttpApiSchema.NoContent,
  error: [
    AdminProblems.UnknownParkedStream,
    AdminProblems.RetryRefused,
    AdminProblems.StillFailing,
    Problems.DatabaseUnavailable,
    Problems.Draining
  ]
}

const SkipRequest = Schema.Struct({
  version: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0)))
}).annotate({
  identifier: "SkipRequest",
  description: "the version the stream is parked at: without it, a repeated request may drop the event after it"
})

export class ParkedAdminApi extends HttpApiGroup.make("parked")
  .add(
    HttpApiEndpoint.get("list", "/admin/parked", {
      success: Schema.Struct({ data: Schema.Array(ParkedView) }),
      error: readErrors
    })
      .annotate(OpenApi.Summary, "Streams that are set aside, or go on without events that were skipped")
      .middleware(QueryBoundary),
    HttpApiEndpoint.post("retry", "/admin/parked/:id/retry", tried)
      .annotate(OpenApi.Summary, "Apply what was held back, in order")
      .middleware(CommandBoundary),
    HttpApiEndpoint.post("skip", "/admin/parked/:id/skip", {
      ...tried,
      payload: SkipRequest,
      error: [...tried.error, AdminProblems.ParkedElsewhere]
    })
      .annotate(
        OpenApi.Summary,
        "Drop the one event that fails, for good, and apply the rest; repeat it with its version"
      )
      .middleware(CommandBoundary)
  )
  .annotateMerge(OpenApi.annotations({ title: "Parked streams", description: "Streams with an event that fails." })) {}
