/**
 * Reads a command's body as text within bounds: declared as JSON, not too large, not nested too deep, UTF-8, in time.
 */
import { ByteSize, type Duration, Effect, Fiber } from "effect"
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

const readError = (error: HttpServerError.HttpServerError) =>
  error.reason._tag === "RequestParseError" && error.reason.reason === "BodyTooLarge"
    ? tooLarge
    : InvalidRequest.of("body", "broke off before its end")

const decode = (bytes: ArrayBuffer) =>
  Effect.try({
    try: () => utf8.decode(bytes),
    catch: () => InvalidRequest.of("body", "Expected UTF-8")
  })

/** Returns an empty text if there is no body. */
export const read = (
  request: HttpServerRequest.HttpServerRequest,
  timeout: Duration.Duration
): Effect.Effect<string, InvalidRequest | RequestTimeout | ContentTooLarge | UnsupportedMediaType> => {
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
  return request.arrayBuffer.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(maxBodyBytes)),
    // Interrupting the read would destroy the connection and the 408 with it, so only the wait for the read is ended.
    Effect.forkDetach,
    Effect.flatMap(Fiber.join),
    Effect.mapError(readError),
    Effect.timeoutOrElse({ duration: timeout, orElse: () => Effect.fail(new RequestTimeout()) }),
    Effect.flatMap(decode),
    Effect.filterOrFail(
      (text) => !isDeeperThan(text, maxJsonDepth),
      () => InvalidRequest.of("body", `is nested deeper than ${maxJsonDepth}`)
    )
  )
}
