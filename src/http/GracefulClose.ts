/**
 * Lets a server end as its callers would wish: from `close` on it answers whatever has been sent, says `Connection: close`
 * with each answer, soon takes no new connections, and only then hangs up on the idle.
 *
 * Node's own `close` resets a kept-alive connection on which a request has arrived but was not read yet, and goes on
 * serving the others for as long as their callers like.
 */
import type { Server, ServerResponse } from "node:http"

/** For connections that wait to be accepted, of which each turn of the event loop takes one; in milliseconds. */
const graceToConnect = 100
/** For requests that are on their way. */
const graceToSend = 250

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
  const hangUpAfter = () => setTimeout(() => setImmediate(hangUp), graceToSend).unref()
  server.close = (callback) => {
    isClosing = true
    open.forEach(isLast)
    // Called by `close`, too early.
    server.closeIdleConnections = hangUpAfter
    setTimeout(() => close(callback), graceToConnect)
    return server
  }
  return server
}
