/** Whether a request may become a WebSocket: said before it does, so that the answer can be a problem document. */
import { Effect } from "effect"
import type { HttpServerRequest } from "effect/http"
import { isSameOrigin } from "../listener/HostNames.ts"
import { ForeignOrigin, InvalidRequest } from "../problems/HttpError.ts"

/** Base64 of 16 bytes. */
const key = /^[+/0-9A-Za-z]{22}==$/

/** A program sends no `Origin`; a browser always does, and sends it for any page that asks it to. */
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
