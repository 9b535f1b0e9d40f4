/**
 * Hangs up on a kept-alive connection only if nothing has come on it. Node looks at the clock first: a process that was held
 * up for longer than it keeps idle connections would reset all those on which requests came meanwhile.
 */
import type { Server } from "node:http"
import type { Socket } from "node:net"

export const readsFirst = (server: Server): Server =>
  server.on("timeout", (socket: Socket) => {
    const read = socket.bytesRead
    // Immediates come after sockets were read.
    setImmediate(() => {
      if (socket.bytesRead === read) socket.destroy()
    })
  })
