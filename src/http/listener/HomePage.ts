/** Answers `GET /` with links to what this server has: as HTML for browsers, as JSON for programs. */
import { Effect } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { common } from "../api/openapi/Document.ts"

export const path = "/"

const links = {
  docs: ["/docs", "The documentation, in which every request can be tried."],
  openapi: ["/openapi.json", "The OpenAPI document, of which clients can be generated."],
  orders: ["/orders", "The orders, newest first."],
  products: ["/products", "The products that can be ordered."],
  customers: ["/customers", "The customers who can order."],
  events: ["/events", "What happens, as it happens: server-sent events. /events/ws is the same as a WebSocket."],
  projections: ["/projections", "How far each view is behind the log of events."],
  ready: ["/health/ready", "Tells whether this server can answer, which asks the database."],
  live: ["/health/live", "Tells that this server is alive."]
} as const

const title = "Ordinal"
const description =
  "An event-sourced order service over HTTP. POST /orders places an order; the documentation says how."

const item = ([href, text]: readonly [string, string]) => `<li><a href="${href}">${href}</a><br>${text}</li>`

const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
  body { max-width: 40rem; margin: 3rem auto; padding: 0 1rem }
  li { margin-block: 0.75rem }
</style>
<h1>${title}</h1>
<p>${description}</p>
<ul>
${Object.values(links).map(item).join("\n")}
</ul>
</html>
`

/**
 * Gives the weight of a media type in an `Accept` header, in which the most specific range counts (RFC 9110, 12.5.1).
 */
const weightOf = (accept: string, type: string): number => {
  const ranges = new Map(
    accept.split(",").map((range): [string, number] => {
      const [name = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase())
      const weight = parameters.find((parameter) => parameter.startsWith("q="))
      return [name, weight === undefined ? 1 : Number(weight.slice(2)) || 0]
    })
  )
  return ranges.get(type) ?? ranges.get(type.replace(/\/.*/, "/*")) ?? ranges.get("*/*") ?? 0
}

const headers = { vary: "Accept" }
const page = HttpServerResponse.html(html).pipe(HttpServerResponse.setHeaders(headers))
const document = HttpServerResponse.jsonUnsafe(
  {
    title,
    description,
    version: common.version,
    links: Object.fromEntries(Object.entries(links).map(([name, [href]]) => [name, href]))
  },
  { headers }
)

/** A program that takes anything, as curl does, gets JSON. */
export const layer = HttpRouter.add(
  "GET",
  path,
  Effect.map(HttpServerRequest.HttpServerRequest, ({ headers: { accept = "" } }) =>
    weightOf(accept, "text/html") > weightOf(accept, "application/json") ? page : document
  )
)
