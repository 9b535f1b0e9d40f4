/**
 * Gives pages that never change while the process runs an entity tag, and answers a caller who has the page already
 * with 304.
 */
import { createHash } from "node:crypto"
import { type HttpBody, type HttpServerRequest, HttpServerResponse } from "effect/http"
import { isListed } from "../wire/HeaderValue.ts"

/** Each body is hashed once. */
const known = new WeakMap<HttpBody.Uint8Array, string>()

const tagOf = (body: HttpBody.Uint8Array): string => {
  const tag = known.get(body) ?? `"${createHash("sha256").update(body.body).digest("base64url").slice(0, 22)}"`
  known.set(body, tag)
  return tag
}

export const conditional = (
  { headers, method }: HttpServerRequest.HttpServerRequest,
  response: HttpServerResponse.HttpServerResponse
): HttpServerResponse.HttpServerResponse => {
  const { body, status } = response
  if (!["GET", "HEAD"].includes(method) || status !== 200 || body._tag !== "Uint8Array") return response
  const etag = tagOf(body)
  if (!isListed(headers["if-none-match"], etag)) return HttpServerResponse.setHeader(response, "etag", etag)
  const { vary } = response.headers
  return HttpServerResponse.empty({ status: 304, headers: { etag, ...(vary === undefined ? {} : { vary }) } })
}
