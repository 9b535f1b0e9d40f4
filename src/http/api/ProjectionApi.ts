/** Defines the endpoint that tells how far the views are. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import * as AllowedRoles from "./AllowedRoles.ts"
import { QueryBoundary } from "./Boundary.ts"
import { Position } from "../wire/Codecs.ts"
import { readErrors } from "./EndpointErrors.ts"

const statuses = ["starting", "catching-up", "live", "retrying", "paused", "rebuilding", "stopped"] as const

export const projectionState = {
  name: Schema.String,
  version: Schema.Int,
  status: Schema.Literals(statuses),
  position: Position,
  head: Position,
  behind: Schema.Int.annotate({ description: "The number of events in the log that the projection has not applied." }),
  lag: Schema.Finite.annotate({ description: "The age of the oldest of these events in seconds." }),
  updatedAt: Schema.optionalKey(Schema.String)
}

export const ProjectionState = Schema.Struct(projectionState).annotate({ identifier: "ProjectionState" })

export class ProjectionApi extends HttpApiGroup.make("projections")
  .add(
    HttpApiEndpoint.get("list", "/projections", {
      success: Schema.Struct({ data: Schema.Array(ProjectionState) }),
      error: readErrors
    })
      .annotateMerge(AllowedRoles.operator("Tell how far each view is behind the log"))
      .middleware(QueryBoundary)
  )
  .annotateMerge(OpenApi.annotations({ title: "Projections", description: "How far the views are." })) {}
