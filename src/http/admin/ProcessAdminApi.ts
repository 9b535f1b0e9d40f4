import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { explanation } from "../api/SystemApi.ts"
import { ActorsView, SettingView } from "./AdminViews.ts"

const Prometheus = Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/plain; version=0.0.4; charset=utf-8" }))

export class ProcessAdminApi extends HttpApiGroup.make("process")
  .add(
    HttpApiEndpoint.get("metrics", "/metrics", { success: Prometheus }).annotate(
      OpenApi.Summary,
      "Metrics in Prometheus' text format"
    ),
    HttpApiEndpoint.get("actors", "/admin/actors", { success: ActorsView }).annotate(
      OpenApi.Summary,
      "How busy the actors are, and the ten busiest"
    ),
    HttpApiEndpoint.get("config", "/admin/config", {
      success: Schema.Struct({ data: Schema.Array(SettingView) })
    }).annotate(OpenApi.Summary, "The settings, without secrets"),
    explanation
  )
  .annotateMerge(OpenApi.annotations({ title: "Process", description: "This process." })) {}
