/** A page of a list, with the link to the next one. */
import type { HttpServerRequest } from "effect/http"
import { HttpApiSchema } from "effect/http-api"
import type { QueryResult } from "../../orders/QueryOptions.ts"
import * as Reply from "./Reply.ts"

type Request = HttpServerRequest.HttpServerRequest

/** The same query, with other values for these parameters. */
export const nextLink = (request: Request, changed: Record<string, string>): { readonly link: string } => {
  const [path = "", query = ""] = request.url.split("?", 2)
  const parameters = new URLSearchParams(query)
  for (const [name, value] of Object.entries(changed)) parameters.set(name, value)
  return { link: `<${path}?${parameters}>; rel="next"` }
}

export const make = <Item>(
  data: ReadonlyArray<Item>,
  answer: QueryResult & { readonly hasMore: boolean; readonly next?: string },
  request: Request,
  applied: { readonly "preference-applied"?: string }
) => {
  const { hasMore, next } = answer
  return HttpApiSchema.withHeaders({
    body: { data, page: { ...(next === undefined ? {} : { next }), hasMore } },
    headers: {
      ...Reply.freshnessHeaders(answer),
      ...(next === undefined ? {} : nextLink(request, { cursor: next })),
      ...applied
    }
  })
}
