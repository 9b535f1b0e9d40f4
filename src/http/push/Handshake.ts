/**
 * Refuses a request that must not become a WebSocket, while the answer can still be a problem document (RFC 6455, 4.2).
 */
import { Effect } from "effect"
import type { HttpServerRequest } from "effect/http"
import { isSameOrigin } from "../listener/HostNames.ts"
import { ForeignOrigin, InvalidRequest } from "../problems/HttpError.ts"

/** Matches 16 bytes in base64. */
const key = /^[+/0-9A-Za-z]{22}==$/

/**
 * A browser always sends the `Origin` of the page that opens a WebSocket, and any page may; other programs send none.
 */
export const check = (
  { headers }: HttpServerRequest.HttpServerRequest,
  origins: ReadonlyArray<string>
): Effect.Effect<void, InvalidRequest | ForeignOrigin> => {
  const { host, origin } = headers
  if (origin !== undefined && !isSameOrigin(origin, host) && !origins.includes(origin)) {
    return Effect.fail(new ForeignOrigin({ origin: origin.slice(0, 200) }))
  }
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
