/** Defines the endpoints that follow events as they happen. */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { CustomerId, OrderId } from "../../order/OrderId.ts"
import * as AllowedRoles from "./AllowedRoles.ts"
import { CommaList } from "../wire/Codecs.ts"
import { positionText } from "../../orders/Subscription.ts"
import { Problems } from "../problems/Problems.ts"
import { readErrors } from "./EndpointErrors.ts"
import { PushMessage } from "../wire/PushMessage.ts"

const optional = Schema.optionalKey

const Position = Schema.String.check(Schema.isPattern(positionText, { expected: "a position such as 17.0123456789ab" }))

const WireType = Schema.String.check(
  Schema.isPattern(/^[a-z]{1,20}\.[a-z0-9-]{1,60}\.v[1-9][0-9]{0,3}$/u, {
    expected: "an event type such as order.placed.v1"
  })
)

const query = {
  after: optional(
    Position.annotate({
      description: "The stream begins after this position. Without it the stream begins now.",
      examples: ["1042.5f2c9a1b3d4e"]
    })
  ),
  orderId: optional(OrderId),
  customerId: optional(CustomerId),
  type: optional(CommaList(WireType)),
  category: optional(CommaList(Schema.Literals(["order", "product", "customer"])))
}

const headers = {
  "last-event-id": optional(
    Position.annotate({
      description: "The stream continues after this id. It wins over after; browsers send it by themselves.",
      examples: ["1042.5f2c9a1b3d4e"]
    })
  )
}

/** A request for a stream has these parts. */
export interface StreamRequest {
  readonly query: Schema.Struct.Type<typeof query>
  readonly headers: Schema.Struct.Type<typeof headers>
}

/** `event` is the type of the CloudEvent in `data`, or `heartbeat` or `caught-up`. */
const ServerSentEvent = Schema.Struct({
  id: Schema.String,
  event: Schema.String,
  data: Schema.fromJsonString(PushMessage)
}).annotate({ identifier: "ServerSentEvent" })

export class StreamApi extends HttpApiGroup.make("streams")
  .add(
    HttpApiEndpoint.get("events", "/events", {
      query,
      headers,
      success: HttpApiSchema.StreamSse({ events: ServerSentEvent }),
      error: [...readErrors, Problems.RateLimited, Problems.InvalidPosition]
    }).annotateMerge(
      AllowedRoles.ownOrAll(
        "Follow events (SSE)",
        "Events arrive at least once per connection, in order; continue with the last id after a loss. A query after a push never shows older data, unless the push says that it is ahead. The stream ends when the token of its caller expires. "
      )
    ),
    HttpApiEndpoint.get("socket", "/events/ws", {
      query,
      headers,
      success: HttpApiSchema.Empty(101),
      error: [...readErrors, Problems.RateLimited, Problems.ForeignOrigin, Problems.InvalidPosition]
    }).annotateMerge(
      AllowedRoles.ownOrAll(
        "Follow events (WebSocket)",
        "With the subprotocol cloudevents.json, each text message is one CloudEvent or a control { control, position }. A browser, which can send no Authorization, offers its token as a second subprotocol, bearer.<token>. The server closes with 1001 when it stops, 1008 when the token expires, 1013 if there are too many streams, and 4008 if the client is too slow; the reason names the position to resume after. "
      )
    )
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Event streams", description: "Events as they happen, over SSE or WebSocket." })
  ) {}
