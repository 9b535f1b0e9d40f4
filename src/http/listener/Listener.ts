/**
 * Makes Node's HTTP server (or Deno's, through `node:http`) for every port of this process, under TLS if there is a
 * certificate. The server keeps the limits of time and number, answers what its HTTP parser refuses as `UnparsedRequests`
 * says, and ends as `GracefulClose` says.
 */
import { createServer, type IncomingMessage, type Server } from "node:http"
import type { Socket } from "node:net"
import { Duration, Effect } from "effect"
import { HttpServer } from "effect/http"
import { hangUpOnSlowReaders } from "../transport/SlowReaders.ts"
import { Tls } from "../transport/Tls.ts"
import { closeGracefully } from "./GracefulClose.ts"
import { defaults, type HttpLimits } from "./HttpLimits.ts"
import { answerUnparsed } from "./UnparsedRequests.ts"

/** Paths match letter by letter; the schema of an id judges its length. */
export const routerConfig = { caseSensitive: true, ignoreDuplicateSlashes: false, maxParamLength: 16 * 1024 }

/**
 * Hangs up on an idle connection only if nothing has arrived on it. Node looks at the clock first, so a process that
 * was stopped for longer than the idle time would reset every connection on which a request arrived meanwhile.
 */
const readBeforeIdleClose = (server: Server): Server =>
  server.on("timeout", (socket: Socket) => {
    const read = socket.bytesRead
    // An immediate runs after sockets were read.
    setImmediate(() => {
      if (socket.bytesRead === read) socket.destroy()
    })
  })

const plain = { server: createServer }

/**
 * Makes the function that makes a server, which listens nowhere yet. A request with `Upgrade` for a URL that `upgrades` does
 * not name is one like any other (with Node 24.9 or newer): it would pass by the limits that count responses.
 */
export const make = Effect.fnUntraced(function* (given: HttpLimits, upgrades?: (url: string) => boolean) {
  const tls = (yield* Tls) ?? plain
  // A host may give limits that it wrote for an older version.
  const limits = { ...defaults, ...given }
  return (): Server => {
    const options = {
      ...(upgrades === undefined ? {} : { shouldUpgradeCallback: ({ url = "" }: IncomingMessage) => upgrades(url) }),
      // RouterMiddleware refuses a request without Host, with a problem document.
      requireHostHeader: false,
      // Node would drop the second of two lines; so it is seen, and refused where there may be only one.
      joinDuplicateHeaders: true,
      headersTimeout: Duration.toMillis(limits.headers),
      handshakeTimeout: Duration.toMillis(limits.headers),
      // RequestBody ends a slow body earlier; this timeout covers bodies that nobody reads.
      requestTimeout: Duration.toMillis(limits.headers) + Duration.toMillis(limits.body),
      keepAliveTimeout: Duration.toMillis(limits.keepAlive),
      connectionsCheckingInterval: Math.min(1000, Duration.toMillis(limits.headers) / 2)
    }
    // A server of `node:https` has all that is used of one of `node:http`.
    const server = tls.server(options) as Server
    server.maxConnections = limits.connections
    return closeGracefully(answerUnparsed(readBeforeIdleClose(hangUpOnSlowReaders(server, limits.answer))))
  }
})

/** Gives the URL that the server of this context listens at. */
export const url = Effect.gen(function* () {
  const { address } = yield* HttpServer.HttpServer
  const scheme = (yield* Tls) === undefined ? "http:" : "https:"
  return HttpServer.formatAddress(address).replace(/^http:/, scheme)
})
