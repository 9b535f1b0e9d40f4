import { Effect } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import * as PublishedEvent from "../eventsourcing/PublishedEvent.ts"
import { Orders } from "../Orders.ts"
import { Api } from "./Api.ts"
import * as CloudEvent from "./CloudEvent.ts"
import * as EntityTag from "./EntityTag.ts"
import * as Reply from "./Reply.ts"

const defaultEvents = 100

/** The same query, with other values for these parameters. */
const nextLink = (
  request: HttpServerRequest.HttpServerRequest,
  changed: Record<string, string>
): { readonly link: string } => {
  const [path = "", query = ""] = request.url.split("?", 2)
  const parameters = new URLSearchParams(query)
  for (const [name, value] of Object.entries(changed)) parameters.set(name, value)
  return { link: `<${path}?${parameters}>; rel="next"` }
}

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
        const page = yield* orders.list(
          {
            filter,
            ...(sort === undefined ? {} : { sort }),
            ...(limit === undefined ? {} : { limit }),
            ...(cursor === undefined ? {} : { cursor })
          },
          options
        )
        const next = page.next === undefined ? {} : { next: page.next }
        return HttpApiSchema.withHeaders({
          body: { data: page.orders, page: { ...next, hasMore: page.hasMore } },
          headers: {
            "consistency-token": page.token,
            freshness: Reply.freshness(page.freshness),
            ...(page.next === undefined ? {} : nextLink(request, { cursor: page.next })),
            ...applied
          }
        })
      }),
      events: Effect.fnUntraced(function* ({ params, query, request }) {
        const { after = 0, limit = defaultEvents } = query
        const events = yield* orders.events(params.id, { after, limit })
        const last = events.at(-1)
        return HttpApiSchema.withHeaders({
          body: events.map((event) => CloudEvent.fromEvent(PublishedEvent.fromRecorded(event))),
          headers: last === undefined || events.length < limit ? {} : nextLink(request, { after: String(last.version) })
        })
      })
    })
  })
)
