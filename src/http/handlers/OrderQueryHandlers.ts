/** Answers the queries on orders: from the order view, or from an order's own events. */
import { Effect } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { Orders } from "../../orders/Orders.ts"
import { Api } from "../api/Api.ts"
import * as CloudEvent from "../wire/CloudEvent.ts"
import * as HeaderValue from "../wire/HeaderValue.ts"
import * as OwnOrders from "../guard/OwnOrders.ts"
import * as Attempt from "./Attempt.ts"
import { Caller } from "./Caller.ts"
import * as OrderLinks from "./OrderLinks.ts"
import * as Reply from "./Reply.ts"
import { listRequest, queryOptions } from "./RequestOptions.ts"

const defaultEvents = 100
/** An old version never changes, but what is `allowed` in it depends on the server's settings. */
const revalidated = "private, no-cache"

export const layer = HttpApiBuilder.group(
  Api,
  "orderQueries",
  Effect.fnUntraced(function* (handlers) {
    const all = yield* Orders
    const callersOrders = Effect.map(Caller, (caller) => OwnOrders.of(all, caller))
    return handlers.handleAll({
      get: Effect.fnUntraced(function* ({ headers, params }) {
        const orders = yield* callersOrders
        const { applied, options } = queryOptions(headers)
        return yield* Reply.ofRead(
          yield* Attempt.outcomeOr(orders.get(params.id, options)),
          applied,
          headers["if-none-match"]
        )
      }),
      list: Effect.fnUntraced(function* ({ headers, query, request }) {
        const orders = yield* callersOrders
        const { applied, options } = queryOptions(headers)
        const listed = yield* Attempt.outcomeOr(orders.list(listRequest(query), options))
        return Reply.ofOrders(yield* OrderLinks.root, listed, request, applied)
      }),
      counts: Effect.fnUntraced(function* ({ headers, query }) {
        const orders = yield* callersOrders
        const { applied, options } = queryOptions(headers)
        const result = yield* orders.counts(query, options)
        return HttpApiSchema.withHeaders({
          body: result.counts,
          headers: { ...Reply.freshnessHeaders(result), ...applied }
        })
      }),
      at: Effect.fnUntraced(function* ({ headers: asked, params }) {
        const orders = yield* callersOrders
        const order = yield* orders.at(params.id, params.version, queryOptions(asked).options)
        const headers = { etag: HeaderValue.entityTag(order.version), "cache-control": revalidated }
        return HttpApiSchema.withHeaders({ body: OrderLinks.toDocument(yield* OrderLinks.root, order), headers })
      }),
      events: Effect.fnUntraced(function* ({ headers: asked, params, query, request }) {
        const orders = yield* callersOrders
        const { after = 0, limit = defaultEvents } = query
        const events = yield* orders.history(params.id, { after, limit, ...queryOptions(asked).options })
        const last = events.at(-1)
        const isPartial = last !== undefined && events.length === limit
        const headers = isPartial
          ? Reply.nextLink(yield* OrderLinks.root, request, { after: String(last.version) })
          : {}
        return HttpApiSchema.withHeaders({ body: events.map(CloudEvent.fromEvent), headers })
      })
    })
  })
)
