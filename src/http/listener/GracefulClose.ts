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
  /** How many requests are being answered on each; without those that became WebSockets. */
  const connections = new Map<Socket, number>()
  let isClosing = false
  const isLast = (response: ServerResponse) => {
    if (!response.headersSent) response.shouldKeepAlive = false
  }
  const count = (socket: Socket, change: number) => {
    const known = connections.get(socket)
    if (known !== undefined) connections.set(socket, known + change)
  }
  server.on("connection", (socket: Socket) => {
    connections.set(socket, 0)
    socket.once("close", () => connections.delete(socket))
  })
  server.prependListener("request", ({ socket }, response) => {
    count(socket, 1)
    response.once("close", () => count(socket, -1))
    if (isClosing) return isLast(response)
    open.add(response)
    response.once("close", () => open.delete(response))
  })
  server.prependListener("upgrade", ({ socket }) => {
    // Once nobody else listens, there is nobody to take it over.
    if (server.listenerCount("upgrade") === 1) socket.destroy()
    connections.delete(socket)
  })

  const close = server.close.bind(server)
  const closeIdle = server.closeIdleConnections.bind(server)
  const hangUp = () => {
    closeIdle()
    // Node takes one for busy on which nothing or half a request has come, and looks after its limits no more.
    for (const [socket, answering] of connections) if (answering === 0) socket.destroy()
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
