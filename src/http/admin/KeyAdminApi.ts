/** Defines how admins manage the API keys of machines, as a part of `AdminApi`; `KeyHandlers` answers it. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Name } from "../../order/Text.ts"
import { CommandBoundary, QueryBoundary } from "../api/Boundary.ts"
import { readErrors } from "../api/EndpointErrors.ts"
import { AdminProblems } from "../problems/AdminProblems.ts"
import { Problems } from "../problems/Problems.ts"
import { OffsetDateTime } from "../wire/Codecs.ts"
import * as View from "./AdminViews.ts"

const optional = Schema.optionalKey
const Text = Schema.String

export const KeyView = Schema.Struct({
  id: Text.annotate({ description: "The actor of its events is key: and this." }),
  name: Text,
  scopes: Schema.Array(Text),
  createdAt: Text,
  expiresAt: optional(Text),
  revokedAt: optional(Text)
}).annotate({ identifier: "ApiKey" })

const NewKey = Schema.Struct({
  name: Name,
  scopes: Schema.Array(Text.check(Schema.isMaxLength(100))).check(Schema.isMinLength(1), Schema.isMaxLength(100)),
  expiresAt: optional(OffsetDateTime)
}).annotate({ identifier: "NewApiKey" })

const CreatedKey = Schema.Struct({
  ...KeyView.fields,
  key: Text.annotate({ description: "The machine sends it as X-API-Key. It is shown only now." })
}).annotate({ identifier: "CreatedApiKey" })

export class KeyAdminApi extends HttpApiGroup.make("keys")
  .add(
    HttpApiEndpoint.get("list", "/admin/keys", {
      success: View.listOf(KeyView),
      error: [...readErrors, Problems.RouteNotFound]
    })
      .annotate(OpenApi.Summary, "Lists the API keys, revoked ones included, without their secrets")
      .middleware(QueryBoundary),
    HttpApiEndpoint.post("create", "/admin/keys", {
      payload: NewKey,
      success: CreatedKey.pipe(HttpApiSchema.status(201)),
      error: [...readErrors, Problems.RouteNotFound]
    })
      .annotate(OpenApi.Summary, "Makes an API key, and shows it this once")
      .middleware(CommandBoundary),
    HttpApiEndpoint.delete("revoke", "/admin/keys/:id", {
      params: { id: Text },
      success: KeyView,
      error: [...readErrors, Problems.RouteNotFound, AdminProblems.UnknownKey]
    })
      .annotate(OpenApi.Summary, "Revokes an API key for good; within 10 s nobody gets in by it")
      .middleware(CommandBoundary)
  )
  .annotateMerge(OpenApi.annotations({ title: "API keys", description: "Keys of machines." })) {}
