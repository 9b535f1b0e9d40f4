/** Answers what Node's HTTP parser refuses before there is a request: garbage, too many bytes of header, too slow. */
import type { Server } from "node:http"
import { Schema } from "effect"
import { ProblemDetails } from "effect/http"
import { InvalidRequest, RequestTimeout } from "../problems/HttpError.ts"
import type { ProblemDocument } from "../problems/Problem.ts"
import { Problems } from "../problems/Problems.ts"
import * as RequestId from "../wire/RequestId.ts"

const headersTooLarge: ProblemDocument = {
  type: ProblemDetails.blankType,
  title: "Request header fields too large",
  status: 431,
  detail: "the request's headers are too large; send less"
}

const documentOf = (code: string | undefined): ProblemDocument => {
  if (code === "HPE_HEADER_OVERFLOW") return headersTooLarge
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return Schema.encodeSync(Problems.RequestTimeout)(new RequestTimeout())
  return Schema.encodeSync(Problems.InvalidRequest)(
    InvalidRequest.of("request", "can't be parsed as HTTP/1.1 with a known method")
  )
}

const reasons: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  431: "Request Header Fields Too Large"
}

export const answerParserErrors = (server: Server): Server =>
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
        `HTTP/1.1 ${document.status} ${reasons[document.status] ?? ""}`,
        "Connection: close",
        `Content-Type: ${ProblemDetails.contentType}`,
        `Content-Length: ${Buffer.byteLength(body)}`,
        `X-Request-Id: ${uuid}`,
        "",
        body
      ].join("\r\n")
    )
  })
