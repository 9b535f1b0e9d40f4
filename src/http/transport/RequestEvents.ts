/**
 * Has every request of a server seen before it is answered. Node emits another event for those with `Expect: 100-continue`
 * where somebody listens to that one, as Effect does; whoever answers a server's requests has to listen to both.
 */
import type { RequestListener, Server } from "node:http"

/** Calls the listener first for each request; the server is one of `node:http` or `node:https`. */
export const seeEach = <Any extends Pick<Server, "prependListener">>(server: Any, listener: RequestListener): Any => {
  server.prependListener("request", listener)
  server.prependListener("checkContinue", listener)
  return server
}
