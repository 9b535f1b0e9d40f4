import { Effect } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import { Orders } from "../../orders/Orders.ts"
import { Api } from "../api/Api.ts"
import * as CloudEvent from "../wire/CloudEvent.ts"
import * as EntityTag from "../wire/EntityTag.ts"
import * as PageReply from "./PageReply.ts"
import * as Reply from "./Reply.ts"

const defaultEvents = 100
/** What has happened stays as it was; but it is nobody else's business. */
const forEver = "private, max-age=31536000, immutable"

export const layer = HttpApiBuilder.group(
  Api,
  "orderQueries",
  Effect.fnUntraced(function* (handlers) {
    const orders = yield* Orders
    return handlers.handleAll({
      get: Effect.fnUntraced(function* ({ headers, params }) {
        const { applied, options } = Reply.queryOptions(headers)
        const answer = yield* orders.get(params.id, options)
        const answered = { ...Reply.viewHeaders(answer), ...applied }
        return EntityTag.isCurrent(headers["if-none-match"], answer.order.version)
          ? HttpApiSchema.withHeaders({ body: undefined, headers: answered })
          : HttpApiSchema.withHeaders({ body: answer.order, headers: answered })
      }),
      list: Effect.fnUntraced(function* ({ headers, query, request }) {
        const { applied, options } = Reply.queryOptions(headers)
        const { cursor, limit, sort, ...filter } = query
        const wanted = {
          filter,
          ...(sort === undefined ? {} : { sort }),
          ...(limit === undefined ? {} : { limit }),
          ...(cursor === undefined ? {} : { cursor })
        }
        const { orders: data, ...page } = yield* orders.list(wanted, options)
        return PageReply.make(data, page, request, applied)
      }),
      counts: Effect.fnUntraced(function* ({ headers, query }) {
        const { applied, options } = Reply.queryOptions(headers)
        const answer = yield* orders.counts(query, options)
        return HttpApiSchema.withHeaders({
          body: answer.counts,
          headers: { ...Reply.freshnessHeaders(answer), ...applied }
        })
      }),
      at: Effect.fnUntraced(function* ({ params }) {
        const order = yield* orders.at(params.id, params.version)
        return HttpApiSchema.withHeaders({
          body: order,
          headers: { etag: EntityTag.format(order.version), "cache-control": forEver }
        })
      }),
      events: Effect.fnUntraced(function* ({ params, query, request }) {
        const { after = 0, limit = defaultEvents } = query
        const events = yield* orders.history(params.id, { after, limit })
        const last = events.at(-1)
        return HttpApiSchema.withHeaders({
          body: events.map(CloudEvent.fromEvent),
          headers:
            last === undefined || events.length < limit
              ? {}
              : PageReply.nextLink(request, { after: String(last.version) })
        })
      })
    })
  })
)
