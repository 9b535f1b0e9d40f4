/** A client of one server that checks of every answer what must hold for all of them. */
import { ada, mug } from "../fixtures/Shop.ts"
import { type Check, check as checkMain } from "../http/Contract.ts"
import { type Answer, call, exchange } from "./HttpClient.ts"

export const checkedClient = (url: string, check: Check = checkMain) => {
  const checked = async (method: string, path: string, asking: Promise<Answer>): Promise<Answer> => {
    const answer = await asking
    check(method, path, answer)
    return answer
  }
  return {
    url,
    /** Sends exactly this. */
    request: (method: string, path: string, init: Omit<RequestInit, "method"> = {}) =>
      checked(method, path, exchange(url, method, path, init)),
    get: (path: string, headers: Record<string, string> = {}) =>
      checked("GET", path, call(url, "GET", path, { headers })),
    /** Sends JSON, as `curl --json` does. */
    send: (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
      checked(method, path, call(url, method, path, { body, headers }))
  }
}

export type CheckedClient = ReturnType<typeof checkedClient>

/** Saves the mug and Ada, so that there is something to order. */
export const withCatalog = async <A extends CheckedClient>(server: A): Promise<A> => {
  await server.send("PUT", "/products/mug", mug)
  await server.send("PUT", "/customers/ada", ada)
  return server
}
