/** Defines the endpoints of health checks, and of the explanation of problem types. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import * as AllowedRoles from "./AllowedRoles.ts"
import { Problems } from "../problems/Problems.ts"

const Live = Schema.Struct({ status: Schema.Literal("live") }).annotate({ identifier: "Live" })
const Ready = Schema.Struct({ status: Schema.Literal("ready") }).annotate({ identifier: "Ready" })

export const ProblemType = Schema.Struct({
  type: Schema.String,
  title: Schema.String,
  status: Schema.Int,
  when: Schema.String,
  remedy: Schema.String,
  /** Documents of this type have these members beside `type`, `title`, `status`, `detail` and `instance`. */
  members: Schema.Array(Schema.String)
}).annotate({ identifier: "ProblemType" })

/** Every API whose errors are problem documents has this endpoint. */
export const explanation = HttpApiEndpoint.get("problem", "/problems/:slug", {
  params: { slug: Schema.String },
  success: ProblemType,
  error: Problems.RouteNotFound
}).annotateMerge(AllowedRoles.anyone("Explain a problem type"))

export class SystemApi extends HttpApiGroup.make("system")
  .add(
    HttpApiEndpoint.get("live", "/health/live", { success: Live }).annotateMerge(
      AllowedRoles.anyone("Tell that the process is alive")
    ),
    HttpApiEndpoint.get("ready", "/health/ready", {
      success: Ready,
      error: [Problems.DatabaseUnavailable, Problems.Draining]
    }).annotateMerge(AllowedRoles.anyone("Tell whether the process can answer, which asks the database")),
    explanation
  )
  .annotateMerge(OpenApi.annotations({ title: "System", description: "Health, and what each problem type means." })) {}
