/**
 * Lets a server end as its callers would wish: from `close` on it takes no new connections, answers whatever has been
 * sent on those it has, says `Connection: close` with each answer, and only then hangs up on the idle.
 *
 * Node's own `close` resets a kept-alive connection on which a request has arrived but was not read yet, and goes on
 * serving the others for as long as their callers like.
 */
import type { Server, ServerResponse } from "node:http"

/** For requests that are on their way, in milliseconds. */
const grace = 250

export const closesGracefully = (server: Server): Server => {
  const open = new Set<ServerResponse>()
  let isClosing = false
  const isLast = (response: ServerResponse) => {
    if (!response.headersSent) response.shouldKeepAlive = false
  }
  server.prependListener("request", (_, response) => {
    if (isClosing) return isLast(response)
    open.add(response)
    response.once("close", () => open.delete(response))
  })

  const close = server.close.bind(server)
  const hangUp = server.closeIdleConnections.bind(server)
  // Immediates come after sockets were read, so nothing that has arrived counts as idle.
  const hangUpAfter = () => setTimeout(() => setImmediate(hangUp), grace).unref()
  server.close = (callback) => {
    isClosing = true
    open.forEach(isLast)
    // Called by `close`, too early.
    server.closeIdleConnections = hangUpAfter
    // Not before the connections that wait to be accepted are.
    setImmediate(() => close(callback))
    return server
  }
  return server
}
