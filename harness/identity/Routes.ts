/** Every route of the OpenAPI document, as a request that could be sent for an order and its customer. */
import { OpenApi } from "effect/http-api"
import { AdminApi } from "../../src/http/admin/AdminApi.ts"
import { Api } from "../../src/http/api/Api.ts"
import { commandTable } from "../http/CommandTable.ts"

export interface Route {
  /** As in `POST /orders/{id}/lines`. */
  readonly name: string
  readonly method: string
  readonly who: ReadonlyArray<string>
  readonly body?: object
  readonly path: (ids: { readonly orderId: string; readonly customerId: string }) => string
}

const bodies = new Map(commandTable.map(({ body, route }) => [route, body]))

const fixed: Readonly<Record<string, string>> = {
  "{lineId}": "line_1",
  "{shipmentId}": "s",
  "{paymentId}": "p",
  "{version}": "1",
  "{slug}": "forbidden"
}

const idOf = (path: string, ids: Parameters<Route["path"]>[0]): string => {
  if (path.startsWith("/orders/")) return ids.orderId
  return path.startsWith("/customers/") ? ids.customerId : "mug"
}

const routesOf = ({ paths }: OpenApi.OpenAPISpec, otherwise: ReadonlyArray<string> = []): ReadonlyArray<Route> =>
  Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([key, operation]): Route => {
      const method = key.toUpperCase()
      const body = bodies.get(`${method} ${path}`)
      const sent = body === undefined ? {} : { body }
      return Object.assign(sent, {
        name: `${method} ${path}`,
        method,
        who: Reflect.get(operation, "x-who") ?? otherwise,
        path: (ids: Parameters<Route["path"]>[0]) => path.replace(/\{\w+\}/g, (name) => fixed[name] ?? idOf(path, ids))
      })
    })
  )

export const routes = routesOf(OpenApi.fromApi(Api))

const isGuarded = ({ who }: Route): boolean => !who.includes("anyone")

/** Those that ask who is calling. */
export const guarded = routes.filter(isGuarded)

/** Those of the operators' port, but for the metrics, which loopback may read. */
export const guardedAdmin = routesOf(OpenApi.fromApi(AdminApi), ["admin"]).filter(
  (route) => isGuarded(route) && route.name !== "GET /metrics"
)
