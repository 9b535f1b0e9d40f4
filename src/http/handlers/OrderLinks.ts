/**
 * Makes the links and actions of an order, at the door: they hold the prefix under which the API is mounted, which
 * neither the order nor its view knows. The requests are those of the API's definition.
 */
import { Context, Effect, Option, Schema } from "effect"
import { HttpRouter, HttpServerRequest } from "effect/http"
import { HttpApi } from "effect/http-api"
import type { CommandName } from "../../order/OrderCommand.ts"
import type { OrderView } from "../../views/order/OrderView.ts"
import type { StoredOrder } from "../../views/order/StoredOrder.ts"
import { Api } from "../api/Api.ts"
import { OrderAction, type OrderDocument, SendsCommand } from "../api/OrderDocument.ts"

interface Request {
  readonly method: OrderAction["method"]
  /** `:id` stands for the order's id. */
  readonly path: string
}

const isMethod = Schema.is(OrderAction.fields.method)

const requestsOf = (): ReadonlyMap<CommandName, Request> => {
  const requests = new Map<CommandName, Request>()
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint: { annotations, method, path } }) => {
      const command = Context.getOrUndefined(annotations, SendsCommand)
      if (command !== undefined && isMethod(method)) requests.set(command, { method, path })
    }
  })
  return requests
}

/** The request that sends each command. */
export const requests = requestsOf()

/** An id that the caller has to choose, such as that of a line, is left as `{lineId}` (RFC 6570). */
const actions = (root: string, orderId: string, allowed: ReadonlyArray<CommandName>): ReadonlyArray<OrderAction> =>
  allowed.flatMap((command) => {
    const request = requests.get(command)
    if (request === undefined) return []
    const path = request.path.replace(":id", orderId).replace(/:(\w+)/g, "{$1}")
    return [{ command, method: request.method, href: `${root}${path}` }]
  })

/** The path under which the API is mounted, which the router takes off the request's URL: empty, or as in `/shop`. */
export const root: Effect.Effect<string, never, HttpServerRequest.HttpServerRequest> = Effect.withFiber(
  ({ context }) => {
    const route = Context.getOrUndefined(context, HttpRouter.RouteContext)?.route
    const { prefix } = route ?? { prefix: Option.none<string>() }
    if (Option.isNone(prefix)) return Effect.succeed("")
    const segments = prefix.value.split("/").filter((segment) => segment !== "").length
    const { originalUrl } = Context.getUnsafe(context, HttpServerRequest.HttpServerRequest)
    const path = originalUrl.replace(/^[a-z]+:\/\/[^/]*/i, "")
    return Effect.succeed(path.split("/", segments + 1).join("/"))
  }
)

export const orderPath = (root: string, orderId: string): string => `${root}/orders/${orderId}`

export const monitorPath = (root: string, orderId: string): string => `${root}/events?orderId=${orderId}`

export const toDocument = (root: string, order: OrderView): OrderDocument => {
  const self = orderPath(root, order.orderId)
  const links = { self, monitor: monitorPath(root, order.orderId), events: `${self}/events` }
  return { ...order, links, actions: actions(root, order.orderId, order.allowed) }
}

/** Stands for the order's id in `actionTexts`; no URL has these characters. */
const idMark = "<id>"
/** Longer prefixes are not remembered: callers choose what stands for their parameters. */
const maxRoot = 200
/** The actions for each list of allowed commands under each root, as JSON cut at the places of the order's id. */
const actionTexts = new Map<string, ReadonlyArray<string>>()

const actionText = (root: string, orderId: string, allowed: string): string => {
  const key = `${root} ${allowed}`
  let parts = actionTexts.get(key)
  if (parts === undefined) {
    // A prefix may have parameters, so there may be ever more roots.
    if (actionTexts.size >= 1_000) actionTexts.clear()
    const texts = actions(root, idMark, JSON.parse(`[${allowed}]`)).map((action) => JSON.stringify(action))
    parts = texts.join(",").split(idMark)
    if (root.length <= maxRoot) actionTexts.set(key, parts)
  }
  return parts.join(orderId)
}

/** Adds links and actions to the text of an order, as `toDocument` does to the order. */
export const addToText = (root: string, { allowed, orderId, text }: StoredOrder): string => {
  const self = orderPath(root, orderId)
  const links = { self, monitor: monitorPath(root, orderId), events: `${self}/events` }
  return `${text.slice(0, -1)},"links":${JSON.stringify(links)},"actions":[${actionText(root, orderId, allowed)}]}`
}

/** Adds actions to a problem document that says what is `allowed`. */
export const ofProblem = (root: string, problem: Readonly<Record<string, unknown>>): object => {
  const { allowed, orderId } = problem
  return Array.isArray(allowed) && typeof orderId === "string" ? { actions: actions(root, orderId, allowed) } : {}
}
