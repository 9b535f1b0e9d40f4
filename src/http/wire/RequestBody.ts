/**
 * Reads a command's body as text within bounds: declared as JSON, not too large, not nested too deep, UTF-8, in time.
 */
import { IncomingMessage } from "node:http"
import { ByteSize, Duration, Effect, Fiber } from "effect"
import { HttpIncomingMessage, type HttpServerError, type HttpServerRequest } from "effect/http"
import {
  ContentTooLarge,
  InvalidRequest,
  maxBodyBytes,
  maxJsonDepth,
  RequestTimeout,
  UnsupportedMediaType
} from "../problems/HttpError.ts"

const tooLarge = new ContentTooLarge({ limit: maxBodyBytes })
const utf8 = new TextDecoder("utf-8", { fatal: true })

const isJson = (contentType: string): boolean => {
  if (contentType === "application/json") return true
  const [type = "", ...parameters] = contentType.toLowerCase().split(";")
  if (type.trim() !== "application/json") return false
  return parameters.every((parameter) => !/^\s*charset/.test(parameter) || /^\s*charset="?utf-?8"?\s*$/.test(parameter))
}

const hasBody = (headers: HttpServerRequest.HttpServerRequest["headers"]): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0

/** Counts brackets outside of strings before anything is parsed, so it also bounds text that is no JSON. */
const isDeeperThan = (text: string, limit: number): boolean => {
  let depth = 0
  let inString = false
  for (let index = 0; index < text.length; index++) {
    const char = text.charCodeAt(index)
    if (inString) {
      if (char === 0x5c) index++
      else if (char === 0x22) inString = false
    } else if (char === 0x22) inString = true
    else if (char === 0x7b || char === 0x5b) {
      if (++depth > limit) return true
    } else if (char === 0x7d || char === 0x5d) depth--
  }
  return false
}

const brokeOff = () => InvalidRequest.of("body", "broke off before its end")

const readError = (error: HttpServerError.HttpServerError) =>
  error.reason._tag === "RequestParseError" && error.reason.reason === "BodyTooLarge" ? tooLarge : brokeOff()

type ArrivalError = InvalidRequest | RequestTimeout | ContentTooLarge
export type ReadError = ArrivalError | UnsupportedMediaType

/** Reads any body on any server. */
const readAny = (
  request: HttpServerRequest.HttpServerRequest,
  timeout: Duration.Duration
): Effect.Effect<ArrayBuffer, ArrivalError> =>
  request.arrayBuffer.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(maxBodyBytes)),
    // Interrupting the read would destroy the connection and the 408 with it, so only the wait for the read is ended.
    Effect.forkDetach,
    Effect.flatMap(Fiber.join),
    Effect.mapError(readError),
    Effect.timeoutOrElse({ duration: timeout, orElse: () => Effect.fail(new RequestTimeout()) })
  )

/**
 * Reads a body whose length Node has checked, as nearly all are, without a fiber: it costs a tenth of `readAny`. When the
 * time is over or the caller has left, the rest is still taken off the connection.
 */
const readKnown = (source: IncomingMessage, timeout: Duration.Duration): Effect.Effect<Uint8Array, ArrivalError> =>
  Effect.callback((resume) => {
    const chunks: Array<Buffer> = []
    let isRead = false
    const timer = setTimeout(() => resume(Effect.fail(new RequestTimeout())), Duration.toMillis(timeout))
    source.on("data", (chunk: Buffer) => chunks.push(chunk))
    source.once("end", () => {
      isRead = true
      clearTimeout(timer)
      resume(Effect.succeed(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    })
    const breakOff = () => {
      if (isRead) return
      clearTimeout(timer)
      resume(Effect.fail(brokeOff()))
    }
    source.once("error", breakOff)
    source.once("close", breakOff)
    return Effect.sync(() => clearTimeout(timer))
  })

/** A caller who expects 100 Continue is told so by `readAny`, and the body of an upgrade is not Node's to read. */
const isKnown = (source: object, headers: HttpServerRequest.HttpServerRequest["headers"]): source is IncomingMessage =>
  source instanceof IncomingMessage &&
  headers["content-length"] !== undefined &&
  headers["expect"] === undefined &&
  headers["upgrade"] === undefined &&
  !source.destroyed

/** Reads the bytes of a body as text: UTF-8, not nested too deep. */
export const decode = (bytes: ArrayBuffer | Uint8Array) => {
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return Effect.fail(InvalidRequest.of("body", "Expected UTF-8"))
  }
  return isDeeperThan(text, maxJsonDepth)
    ? Effect.fail(InvalidRequest.of("body", `is nested deeper than ${maxJsonDepth}`))
    : Effect.succeed(text)
}

/** Returns an empty text if there is no body. */
export const read = (
  request: HttpServerRequest.HttpServerRequest,
  timeout: Duration.Duration
): Effect.Effect<string, ReadError> => {
  const { headers } = request
  const contentType = headers["content-type"]
  const encoding = headers["content-encoding"] ?? "identity"
  if (contentType !== undefined && !isJson(contentType)) {
    return Effect.fail(new UnsupportedMediaType({ header: "content-type" }))
  }
  if (!hasBody(headers)) return Effect.succeed("")
  if (Number(headers["content-length"] ?? 0) > maxBodyBytes) return Effect.fail(tooLarge)
  if (contentType === undefined) return Effect.fail(new UnsupportedMediaType({ header: "content-type" }))
  if (encoding.toLowerCase() !== "identity") {
    return Effect.fail(new UnsupportedMediaType({ header: "content-encoding" }))
  }
  const { source } = request
  return Effect.flatMap(isKnown(source, headers) ? readKnown(source, timeout) : readAny(request, timeout), decode)
}
