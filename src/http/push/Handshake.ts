/**
 * Refuses a request that must not become a WebSocket, while the answer can still be a problem document (RFC 6455, 4.2).
 */
import { Effect } from "effect"
import { type HttpServerRequest, HttpServerResponse } from "effect/http"
import { InvalidRequest } from "../problems/HttpError.ts"
import * as ProblemResponse from "../problems/ProblemResponse.ts"

/** Matches 16 bytes in base64. */
const key = /^[+/0-9A-Za-z]{22}==$/

export const check = ({ headers }: HttpServerRequest.HttpServerRequest): Effect.Effect<void, InvalidRequest> => {
  if (headers["upgrade"]?.toLowerCase() !== "websocket" || !/\bupgrade\b/i.test(headers["connection"] ?? "")) {
    return Effect.fail(InvalidRequest.of("header.upgrade", "Expected websocket: connect with a WebSocket client"))
  }
  if (!key.test(headers["sec-websocket-key"] ?? "")) {
    return Effect.fail(InvalidRequest.of("header.sec-websocket-key", "Expected 16 bytes in base64"))
  }
  return Effect.void
}

const version = "13"

/** Answers a handshake of another version of the protocol with the version that is spoken here (RFC 6455, 4.4). */
export const refuseVersion = ({
  headers
}: HttpServerRequest.HttpServerRequest): HttpServerResponse.HttpServerResponse | undefined =>
  headers["sec-websocket-version"] === version
    ? undefined
    : HttpServerResponse.setHeaders(ProblemResponse.blank(426, "Only version 13 of the WebSocket protocol is spoken"), {
        connection: "upgrade",
        upgrade: "websocket",
        "sec-websocket-version": version
      })
