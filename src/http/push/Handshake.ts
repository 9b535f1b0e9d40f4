/**
 * Refuses a request that must not become a WebSocket, while the answer can still be a problem document (RFC 6455, 4.2).
 */
import { Effect } from "effect"
import type { HttpServerRequest } from "effect/http"
import { InvalidRequest } from "../problems/HttpError.ts"

/** Matches 16 bytes in base64. */
const key = /^[+/0-9A-Za-z]{22}==$/

export const check = ({ headers }: HttpServerRequest.HttpServerRequest): Effect.Effect<void, InvalidRequest> => {
  if (headers["upgrade"]?.toLowerCase() !== "websocket" || !/\bupgrade\b/i.test(headers["connection"] ?? "")) {
    return Effect.fail(InvalidRequest.of("header.upgrade", "Expected websocket: connect with a WebSocket client"))
  }
  if (headers["sec-websocket-version"] !== "13") {
    return Effect.fail(InvalidRequest.of("header.sec-websocket-version", "Expected 13"))
  }
  if (!key.test(headers["sec-websocket-key"] ?? "")) {
    return Effect.fail(InvalidRequest.of("header.sec-websocket-key", "Expected 16 bytes in base64"))
  }
  return Effect.void
}
