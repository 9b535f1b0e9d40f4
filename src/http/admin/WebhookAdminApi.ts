/** Defines how operators manage webhooks, as a part of `AdminApi`; `WebhookHandlers` answers it. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { filterPattern } from "../../webhooks/EventTypes.ts"
import { CommandBoundary, QueryBoundary } from "../api/Boundary.ts"
import { readErrors } from "../api/EndpointErrors.ts"
import { AdminProblems } from "../problems/AdminProblems.ts"
import { Problems } from "../problems/Problems.ts"
import { Position, WholeNumber } from "../wire/Codecs.ts"

const optional = Schema.optionalKey
const Text = Schema.String

const Url = Text.check(
  Schema.isPattern(/^https?:\/\/\S{1,2000}$/, { expected: "a URL such as https://shop.example/hook" })
)
const Types = Schema.Array(
  Text.check(
    Schema.isPattern(filterPattern, { expected: "an event type such as order.placed.v1, order.placed or order" })
  )
)
  .check(Schema.isMaxLength(100))
  .annotate({ description: "Only events of these types, of all versions if none is named; all events without it." })
const Description = Text.check(Schema.isMaxLength(1_000))
const Start = Text.annotate({
  description: '"start", "end", or a consistency token: behind the event that it was given for.'
})

export const WebhookView = Schema.Struct({
  id: Text,
  url: Text,
  types: Schema.Array(Text),
  description: Text,
  isEnabled: Schema.Boolean,
  problem: optional(Text.annotate({ description: "Why it was disabled." })),
  failingSince: optional(Text.annotate({ description: "Every delivery has failed since then." })),
  previousUntil: optional(Text.annotate({ description: "The secret before this one signs until then." })),
  position: Position.annotate({ description: "What is up to there is delivered, or pending." }),
  behind: Schema.Int.annotate({ description: "So many events of the log are not looked at yet." }),
  pending: Schema.Int.annotate({ description: "So many events wait for their turn, or for another try." }),
  lag: Schema.Finite.annotate({ description: "The oldest event that is not delivered is so many seconds old." }),
  createdAt: Text,
  changedAt: Text
}).annotate({ identifier: "Webhook" })

const Secret = Text.annotate({ description: "The receiver verifies by it what it is sent. It is shown only now." })
const WithSecret = Schema.Struct({ ...WebhookView.fields, secret: Secret }).annotate({
  identifier: "WebhookWithSecret"
})

export const DeliveryView = Schema.Struct({
  position: Position,
  eventId: Text,
  streamId: Text,
  version: Schema.Int,
  type: Text,
  state: Schema.Literals(["pending", "delivered", "failed"]),
  attempts: Schema.Int,
  attemptedAt: optional(Text),
  status: optional(Schema.Int.annotate({ description: "The receiver answered this to the last attempt." })),
  problem: optional(Text.annotate({ description: "Why the last attempt failed." })),
  nextAt: optional(Text.annotate({ description: "There is another try at this time." }))
}).annotate({ identifier: "Delivery" })

const id = { id: Text.check(Schema.isUUID()) }
const unavailable = [Problems.DatabaseUnavailable, Problems.Draining]
const changed = { params: id, success: WebhookView, error: [AdminProblems.UnknownWebhook, ...unavailable] }

export class WebhookAdminApi extends HttpApiGroup.make("webhooks")
  .add(
    HttpApiEndpoint.get("list", "/admin/webhooks", {
      success: Schema.Struct({ data: Schema.Array(WebhookView) }),
      error: readErrors
    })
      .annotate(OpenApi.Summary, "Lists the endpoints that are told of events, and how far each is")
      .middleware(QueryBoundary),
    HttpApiEndpoint.get("get", "/admin/webhooks/:id", {
      ...changed,
      error: [...readErrors, AdminProblems.UnknownWebhook]
    })
      .annotate(OpenApi.Summary, "Tells how far an endpoint is")
      .middleware(QueryBoundary),
    HttpApiEndpoint.post("create", "/admin/webhooks", {
      payload: Schema.Struct({
        url: Url,
        types: optional(Types),
        description: optional(Description),
        start: optional(Start)
      }),
      success: HttpApiSchema.WithHeaders(WithSecret.pipe(HttpApiSchema.status(201)), { location: Text }),
      error: [AdminProblems.WebhookUrlRefused, AdminProblems.TooManyWebhooks, Problems.InvalidToken, ...unavailable]
    })
      .annotate(
        OpenApi.Summary,
        "Makes an endpoint, from the next event on unless `start` says otherwise, and its secret"
      )
      .middleware(CommandBoundary),
    HttpApiEndpoint.patch("change", "/admin/webhooks/:id", {
      ...changed,
      payload: Schema.Struct({ url: optional(Url), types: optional(Types), description: optional(Description) }),
      error: [...changed.error, AdminProblems.WebhookUrlRefused]
    })
      .annotate(OpenApi.Summary, "Changes an endpoint; other types count for events that are not pending yet")
      .middleware(CommandBoundary),
    HttpApiEndpoint.delete("remove", "/admin/webhooks/:id", { ...changed, success: HttpApiSchema.NoContent })
      .annotate(OpenApi.Summary, "Deletes an endpoint and its log of deliveries")
      .middleware(CommandBoundary),
    HttpApiEndpoint.post("rotateSecret", "/admin/webhooks/:id/rotate-secret", { ...changed, success: WithSecret })
      .annotate(OpenApi.Summary, "Makes a new secret; until `previousUntil` requests are signed by both")
      .middleware(CommandBoundary),
    HttpApiEndpoint.post("enable", "/admin/webhooks/:id/enable", changed)
      .annotate(OpenApi.Summary, "Enables an endpoint, which goes on where it stands")
      .middleware(CommandBoundary),
    HttpApiEndpoint.post("disable", "/admin/webhooks/:id/disable", changed)
      .annotate(OpenApi.Summary, "Disables an endpoint; what happens meanwhile is delivered once it is enabled")
      .middleware(CommandBoundary),
    HttpApiEndpoint.post("replay", "/admin/webhooks/:id/replay", {
      ...changed,
      payload: Schema.Struct({ after: Start }),
      error: [...changed.error, Problems.InvalidToken]
    })
      .annotate(OpenApi.Summary, "Delivers again what follows a point of the log")
      .middleware(CommandBoundary),
    HttpApiEndpoint.get("deliveries", "/admin/webhooks/:id/deliveries", {
      params: id,
      query: {
        state: optional(DeliveryView.fields.state),
        before: optional(WholeNumber(0, Number.MAX_SAFE_INTEGER)),
        limit: optional(WholeNumber(1, 100))
      },
      success: Schema.Struct({ data: Schema.Array(DeliveryView) }),
      error: [...readErrors, AdminProblems.UnknownWebhook]
    })
      .annotate(OpenApi.Summary, "Lists deliveries, the newest events first; go on with the last position as `before`")
      .middleware(QueryBoundary),
    HttpApiEndpoint.post("redeliver", "/admin/webhooks/:id/deliveries/:eventId/replay", {
      params: { ...id, eventId: Text.check(Schema.isUUID()) },
      success: DeliveryView,
      error: [...changed.error, AdminProblems.UnknownDelivery]
    })
      .annotate(OpenApi.Summary, "Delivers one event again")
      .middleware(CommandBoundary)
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Webhooks", description: "Endpoints of others that are told of events by HTTP." })
  ) {}
