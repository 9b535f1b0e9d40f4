/**
 * Finds the token or API key of a request: `Authorization: Bearer`, `X-API-Key`, or, of a browser's WebSocket, which can
 * send neither, the subprotocol `bearer.<token>`. One in the URL would end up in logs, so it does not count.
 */
import { Result } from "effect"
import type { HttpServerRequest } from "effect/http"
import { Unauthorized } from "../../identity/IdentityErrors.ts"

const protocolPrefix = "bearer."

/** Names the ways in which the request carries a credential; more than one may not be meant to be the same. */
const given = ({ headers }: HttpServerRequest.HttpServerRequest): ReadonlyArray<string> => {
  const { authorization, upgrade, "sec-websocket-protocol": protocols = "", "x-api-key": key } = headers
  const offered = upgrade === undefined ? [] : protocols.split(",").map((protocol) => protocol.trim())
  return [
    ...(authorization === undefined ? [] : [/^bearer +(\S+)$/i.exec(authorization)?.[1] ?? ""]),
    ...(key === undefined ? [] : [key]),
    ...offered.flatMap((name) => (name.startsWith(protocolPrefix) ? [name.slice(protocolPrefix.length)] : []))
  ]
}

export const of = (request: HttpServerRequest.HttpServerRequest): Result.Result<string, Unauthorized> => {
  const [credential, ...others] = given(request)
  if (credential === undefined) return Result.fail(new Unauthorized({ reason: "missing" }))
  return credential === "" || others.length > 0
    ? Result.fail(new Unauthorized({ reason: "invalid" }))
    : Result.succeed(credential)
}
