/** What operators and the curious ask: is it alive, is it ready, what does this problem mean. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Problems } from "../problems/Problems.ts"

const Health = <Status extends string>(status: Status) => Schema.Struct({ status: Schema.Literal(status) })

export const ProblemType = Schema.Struct({
  type: Schema.String,
  title: Schema.String,
  status: Schema.Int,
  when: Schema.String,
  remedy: Schema.String,
  /** Beside `type`, `title`, `status`, `detail` and `instance`. */
  members: Schema.Array(Schema.String)
}).annotate({ identifier: "ProblemType" })

/** Of any API whose errors are problem documents. */
export const explanation = HttpApiEndpoint.get("problem", "/problems/:slug", {
  params: { slug: Schema.String },
  success: ProblemType,
  error: Problems.RouteNotFound
}).annotate(OpenApi.Summary, "What a problem type means")

export class SystemApi extends HttpApiGroup.make("system")
  .add(
    HttpApiEndpoint.get("live", "/health/live", { success: Health("live") }).annotate(
      OpenApi.Summary,
      "Is the process alive?"
    ),
    HttpApiEndpoint.get("ready", "/health/ready", {
      success: Health("ready"),
      error: [Problems.DatabaseUnavailable, Problems.Draining]
    }).annotate(OpenApi.Summary, "Can it answer? Asks the database"),
    explanation
  )
  .annotateMerge(OpenApi.annotations({ title: "System", description: "Health, and what each problem type means." })) {}
