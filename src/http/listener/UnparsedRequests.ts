/**
 * Answers with a problem document what Node makes no ordinary request of: what its HTTP parser refuses, headers that
 * are too large, requests that are too slow, tunnels, and expectations that this server can't meet.
 */
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http"
import { Schema } from "effect"
import { ProblemDetails } from "effect/http"
import { InvalidRequest, RequestTimeout } from "../problems/HttpError.ts"
import type { ProblemDocument } from "../problems/Problem.ts"
import { Problems } from "../problems/Problems.ts"
import * as RequestId from "../wire/RequestId.ts"

const blank = (status: number, title: string, detail: string): ProblemDocument => ({
  type: ProblemDetails.blankType,
  title,
  status,
  detail
})

const headersTooLarge = blank(431, "Request header fields too large", "The request's headers are too large; send less.")
const noTunnels = blank(501, "Not implemented", "This server opens no tunnels; it does not know the method CONNECT.")
const unknownExpectation = blank(
  417,
  "Expectation failed",
  "The only expectation that this server can meet is 100-continue; leave the header Expect out."
)

const unknownMethod = (method: string) =>
  blank(501, "Not implemented", `This server does not know the method ${method.slice(0, 40)}.`)

/** The parser's error has the bytes that it was reading, and how many of them it has read. */
interface ParserError extends NodeJS.ErrnoException {
  readonly rawPacket?: Buffer
  readonly bytesParsed?: number
}

/** Finds the method of a request line that is sound otherwise. */
const methodOf = ({ bytesParsed = 0, rawPacket }: ParserError): string | undefined => {
  if (rawPacket === undefined) return undefined
  const start = bytesParsed === 0 ? 0 : rawPacket.lastIndexOf("\n", bytesParsed - 1) + 1
  const line = rawPacket.subarray(start, start + 8192).toString("latin1")
  return /^([\w!#$%&'*+.^`|~-]+) [^\s]+ HTTP\/1\.[01]\r?\n/.exec(line)?.[1]
}

const documentOf = (error: ParserError): ProblemDocument => {
  if (error.code === "HPE_HEADER_OVERFLOW") return headersTooLarge
  if (error.code === "ERR_HTTP_REQUEST_TIMEOUT") return Schema.encodeSync(Problems.RequestTimeout)(new RequestTimeout())
  const method = error.code === "HPE_INVALID_METHOD" ? methodOf(error) : undefined
  if (method !== undefined) return unknownMethod(method)
  return Schema.encodeSync(Problems.InvalidRequest)(
    InvalidRequest.of("request", "can't be parsed as HTTP/1.1 with a known method")
  )
}

/** Makes the body and the headers of an answer after which the connection is closed. */
const lastAnswer = (document: ProblemDocument) => {
  const { uuid } = RequestId.make(undefined)
  const body = JSON.stringify({ ...document, instance: `urn:uuid:${uuid}` })
  const headers = {
    Connection: "close",
    "Content-Type": ProblemDetails.contentType,
    "Content-Length": String(Buffer.byteLength(body)),
    "Cache-Control": "private, no-cache",
    "X-Request-Id": uuid
  }
  return { body, headers }
}

const textOf = (document: ProblemDocument): string => {
  const { body, headers } = lastAnswer(document)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [`HTTP/1.1 ${document.status} ${STATUS_CODES[document.status] ?? ""}`, ...lines, "", body].join("\r\n")
}

export const answerUnparsed = (server: Server): Server =>
  server
    .on("clientError", (error: ParserError, socket) => {
      // Whoever did not get through the handshake of TLS could not read an answer.
      if (!socket.writable || /^(ECONNRESET|ERR_(SSL|TLS)_)/.test(error.code ?? "")) socket.destroy()
      else socket.end(textOf(documentOf(error)))
    })
    .on("connect", (_request, socket) => {
      socket.on("error", () => socket.destroy())
      socket.end(textOf(noTunnels))
    })
    .on("checkExpectation", (_request: IncomingMessage, response: ServerResponse) => {
      const { body, headers } = lastAnswer(unknownExpectation)
      response.writeHead(unknownExpectation.status, headers).end(body)
    })
