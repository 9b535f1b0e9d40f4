/** Opens the event streams: server-sent events and WebSockets. */
import { Effect } from "effect"
import { HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Orders } from "../../orders/Orders.ts"
import { Api } from "../api/Api.ts"
import type { StreamRequest } from "../api/StreamApi.ts"
import * as EventSocket from "../push/EventSocket.ts"
import * as EventStream from "../push/EventStream.ts"
import * as Handshake from "../push/Handshake.ts"
import { OpenStreams } from "../push/OpenStreams.ts"
import { PushLimits } from "../push/PushLimits.ts"
import * as OwnOrders from "../guard/OwnOrders.ts"
import { Caller } from "./Caller.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "streams",
  Effect.fnUntraced(function* (handlers) {
    const all = yield* Orders
    const streams = yield* OpenStreams
    const limits = yield* PushLimits

    const subscribe = Effect.fnUntraced(function* ({ headers, query }: StreamRequest) {
      const { category, customerId, orderId, type } = query
      const after = headers["last-event-id"] ?? query.after
      return yield* OwnOrders.of(all, yield* Caller).subscribe({
        heartbeat: limits.heartbeat,
        ...(after === undefined ? {} : { after }),
        ...(orderId === undefined ? {} : { orderId }),
        ...(customerId === undefined ? {} : { customerId }),
        ...(type === undefined ? {} : { types: type }),
        ...(category === undefined ? {} : { categories: category })
      })
    })

    return handlers
      .handleRaw("events", ({ headers, query, request }) =>
        Effect.gen(function* () {
          yield* streams.open("sse", (yield* Caller).owner)
          return yield* EventStream.respond(request, yield* subscribe({ headers, query }))
        })
      )
      .handleRaw("socket", ({ headers, query, request }) =>
        Effect.gen(function* () {
          yield* Handshake.check(request)
          const refusal = Handshake.refuseVersion(request)
          if (refusal !== undefined) return refusal
          const pushes = yield* subscribe({ headers, query })
          yield* streams.open("websocket", (yield* Caller).owner).pipe(
            Effect.andThen(EventSocket.serve(request, pushes)),
            Effect.catchTag(["Overloaded", "RateLimited"], () => EventSocket.turnAway(request)),
            Effect.catchTag(["SocketError", "HttpServerError"], (error) =>
              Effect.logDebug("A request did not become a WebSocket.", error)
            )
          )
          return HttpServerResponse.empty()
        })
      )
  })
)
