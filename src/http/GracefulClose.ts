/**
 * Lets a server end as its callers would wish: from `close` on it answers whatever has been sent, says `Connection: close`
 * with each answer, soon takes no new connections, and only then hangs up on the idle.
 *
 * Node's own `close` resets a kept-alive connection on which a request has arrived but was not read yet, and goes on
 * serving the others for as long as their callers like.
 */
import type { Server, ServerResponse } from "node:http"
import type { Socket } from "node:net"

/** For connections that wait to be accepted, of which each turn of the event loop takes one; in milliseconds. */
const graceToConnect = 100
/** For requests that are on their way. */
const graceToSend = 250

export const closesGracefully = (server: Server): Server => {
  const open = new Set<ServerResponse>()
  /** Nothing has come from them yet, which Node does not count as idle. */
  const unused = new Set<Socket>()
  let isClosing = false
  const isLast = (response: ServerResponse) => {
    if (!response.headersSent) response.shouldKeepAlive = false
  }
  server.on("connection", (socket: Socket) => {
    unused.add(socket)
    socket.once("close", () => unused.delete(socket))
  })
  server.prependListener("request", ({ socket }, response) => {
    unused.delete(socket)
    if (isClosing) return isLast(response)
    open.add(response)
    response.once("close", () => open.delete(response))
  })

  const close = server.close.bind(server)
  const closeIdle = server.closeIdleConnections.bind(server)
  const hangUp = () => {
    closeIdle()
    for (const socket of unused) if (socket.bytesRead === 0) socket.destroy()
  }
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
