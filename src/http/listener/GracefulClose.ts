/**
 * Lets a server end without failing its callers: from `close` on it answers every request that was sent, says
 * `Connection: close` with each answer, soon accepts no new connections, and only then hangs up on idle ones.
 *
 * Node's own `close` resets a kept-alive connection on which a request arrived that was not read yet, and goes on
 * serving the other connections for as long as their callers like.
 */
import type { Server, ServerResponse } from "node:http"
import type { Socket } from "node:net"
import { Server as TlsServer } from "node:tls"
import * as OpenResponses from "../transport/OpenResponses.ts"
import { seeEach } from "../transport/RequestEvents.ts"

/** Connections that wait to be accepted get so many milliseconds; each turn of the event loop accepts one. */
const graceToConnect = 100
/** Requests that are on their way get so many milliseconds. */
const graceToSend = 250

const addressOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`

/** Finds the connections whose handshake of TLS is not over, of which Node's own `close` knows nothing. */
const beforeHandshake = (server: Server): ReadonlyMap<string, Socket> => {
  const sockets = new Map<string, Socket>()
  server.on("connection", (socket: Socket) => {
    const address = addressOf(socket)
    sockets.set(address, socket)
    socket.once("close", () => {
      if (sockets.get(address) === socket) sockets.delete(address)
    })
  })
  server.on("secureConnection", (socket: Socket) => sockets.delete(addressOf(socket)))
  return sockets
}

export const closeGracefully = (server: Server): Server => {
  const openResponses = OpenResponses.of(server)
  /** Counts the unanswered requests of each connection; connections that became WebSockets are not in it. */
  const unanswered = new Map<Socket, number>()
  let isClosing = false
  const endConnectionAfter = (response: ServerResponse) => {
    if (!response.headersSent) response.shouldKeepAlive = false
  }
  const count = (socket: Socket, change: number) => {
    const known = unanswered.get(socket)
    if (known !== undefined) unanswered.set(socket, known + change)
  }
  // One function for all responses, which finds its own in `this`: a closure for each would cost a microsecond.
  function onClose(this: ServerResponse) {
    count(this.req.socket, -1)
  }
  // Under TLS a request's socket is not that of the connection below it.
  const isTls = server instanceof TlsServer
  const unshaken = isTls ? beforeHandshake(server) : new Map<string, Socket>()
  server.on(isTls ? "secureConnection" : "connection", (socket: Socket) => {
    unanswered.set(socket, 0)
    socket.once("close", () => unanswered.delete(socket))
  })
  seeEach(server, ({ socket }, response) => {
    count(socket, 1)
    response.on("close", onClose)
    if (isClosing) endConnectionAfter(response)
  })
  server.prependListener("upgrade", ({ socket }) => {
    // This is the only listener left once the server stops, and it can't serve a WebSocket.
    if (server.listenerCount("upgrade") === 1) socket.destroy()
    unanswered.delete(socket)
  })

  const close = server.close.bind(server)
  const closeIdleConnections = server.closeIdleConnections.bind(server)
  const hangUp = () => {
    closeIdleConnections()
    // Node takes a connection for busy on which nothing or half a request has arrived, and no time limit ends it after
    // `close`.
    for (const [socket, requests] of unanswered) if (requests === 0) socket.destroy()
    for (const socket of unshaken.values()) socket.destroy()
  }
  // An immediate runs after sockets were read, so that nothing that has arrived counts as idle.
  const hangUpLater = () => setTimeout(() => setImmediate(hangUp), graceToSend).unref()
  server.close = (callback) => {
    isClosing = true
    openResponses.forEach(endConnectionAfter)
    // Node's `close` calls this, too early.
    server.closeIdleConnections = hangUpLater
    setTimeout(() => close(callback), graceToConnect)
    return server
  }
  return server
}
