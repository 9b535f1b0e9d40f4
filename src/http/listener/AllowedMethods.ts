/** Knows which methods each path takes, for 405 and its `Allow` header (RFC 9110, 15.5.6). Effect's router answers 404. */
import { HttpApi, type HttpApiGroup } from "effect/http-api"

interface Route {
  readonly segments: ReadonlyArray<string>
  readonly method: string
}

const split = (path: string): ReadonlyArray<string> => path.split("/").slice(1)

const matches = (route: Route, segments: ReadonlyArray<string>): boolean =>
  route.segments.length === segments.length &&
  route.segments.every((segment, index) =>
    segment.startsWith(":") ? segments[index] !== "" : segment === segments[index]
  )

/** Returns no method for an unknown path. `pages` are paths outside of the API that are read with GET. */
export const make = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>,
  pages: ReadonlyArray<string>
): ((url: string) => ReadonlyArray<string>) => {
  const routes: Array<Route> = pages.map((path) => ({ segments: split(path), method: "GET" }))
  HttpApi.reflect(api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => routes.push({ segments: split(endpoint.path), method: endpoint.method })
  })
  return (url) => {
    const [path = ""] = url.split(/[?#]/, 1)
    const segments = split(path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path)
    const methods = routes.flatMap((route) => (matches(route, segments) ? [route.method] : []))
    return [...new Set(methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])))].sort()
  }
}
