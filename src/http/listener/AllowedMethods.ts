/**
 * Knows which methods each path takes, for 405 and its `Allow` header (RFC 9110, 15.5.6). Effect's router only says
 * that there is no route for a request, so this asks a second one, with the same rules, about the other methods.
 */
import { FindMyWay } from "effect/http"
import { HttpApi, type HttpApiGroup } from "effect/http-api"
import { routerConfig } from "./Listener.ts"

/** Returns no method for an unknown path. `pages` are paths outside of the API that are read with GET. */
export const make = <Id extends string, Groups extends HttpApiGroup.Constraint>(
  api: HttpApi.HttpApi<Id, Groups>,
  pages: ReadonlyArray<FindMyWay.PathInput>
): ((url: string) => ReadonlyArray<string>) => {
  const methods = new Set<string>(["GET"])
  const router = FindMyWay.make<true>(routerConfig)
  for (const path of pages) router.on("GET", path, true)
  HttpApi.reflect(api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => {
      methods.add(endpoint.method)
      router.on(endpoint.method, `/${endpoint.path.slice(1)}`, true)
    }
  })
  return (url) => {
    // The router finds nothing for a text that it can't decode, so escapes are hidden from it.
    const path = url.replaceAll("%", "_")
    const allowed = [...methods].filter((method) => router.find(method, path) !== undefined)
    return [...allowed, ...(allowed.includes("GET") ? ["HEAD"] : [])].sort()
  }
}
