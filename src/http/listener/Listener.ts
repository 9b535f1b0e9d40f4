/**
 * Makes Node's HTTP server (or Deno's, through `node:http`) for every port of this process. The server keeps the limits
 * of time, answers what its HTTP parser refuses with a problem document, and ends as `GracefulClose` says.
 */
import { createServer, type Server } from "node:http"
import type { Socket } from "node:net"
import { Duration, Schema } from "effect"
import { ProblemDetails } from "effect/http"
import { InvalidRequest, RequestTimeout } from "../problems/HttpError.ts"
import type { ProblemDocument } from "../problems/Problem.ts"
import { Problems } from "../problems/Problems.ts"
import * as RequestId from "../wire/RequestId.ts"
import { closeGracefully } from "./GracefulClose.ts"
import type { HttpLimits } from "./HttpLimits.ts"

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

const headersTooLarge: ProblemDocument = {
  type: ProblemDetails.blankType,
  title: "Request header fields too large",
  status: 431,
  detail: "The request's headers are too large; send less."
}

const documentOf = (code: string | undefined): ProblemDocument => {
  if (code === "HPE_HEADER_OVERFLOW") return headersTooLarge
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return Schema.encodeSync(Problems.RequestTimeout)(new RequestTimeout())
  return Schema.encodeSync(Problems.InvalidRequest)(
    InvalidRequest.of("request", "can't be parsed as HTTP/1.1 with a known method")
  )
}

const reasonPhrases: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  431: "Request Header Fields Too Large"
}

/**
 * Answers garbage, headers that are too large and requests that are too slow, for which Node makes no request object.
 */
const answerParserErrors = (server: Server): Server =>
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (!socket.writable || error.code === "ECONNRESET") {
      socket.destroy()
      return
    }
    const { uuid } = RequestId.make(undefined)
    const document = documentOf(error.code)
    const body = JSON.stringify({ ...document, instance: `urn:uuid:${uuid}` })
    socket.end(
      [
        `HTTP/1.1 ${document.status} ${reasonPhrases[document.status] ?? ""}`,
        "Connection: close",
        `Content-Type: ${ProblemDetails.contentType}`,
        `Content-Length: ${Buffer.byteLength(body)}`,
        `X-Request-Id: ${uuid}`,
        "",
        body
      ].join("\r\n")
    )
  })

export const make = (limits: HttpLimits): Server => {
  const server = createServer({
    // RouterMiddleware refuses a request without Host, with a problem document.
    requireHostHeader: false,
    headersTimeout: Duration.toMillis(limits.headers),
    // RequestBody ends a slow body earlier; this timeout covers bodies that nobody reads.
    requestTimeout: Duration.toMillis(limits.headers) + Duration.toMillis(limits.body),
    keepAliveTimeout: Duration.toMillis(limits.keepAlive),
    connectionsCheckingInterval: Math.min(1000, Duration.toMillis(limits.headers) / 2)
  })
  return closeGracefully(answerParserErrors(readBeforeIdleClose(server)))
}
