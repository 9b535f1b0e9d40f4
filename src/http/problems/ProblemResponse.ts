/** Problem documents outside of an endpoint, and what every problem document gets on its way out. */
import { Schema } from "effect"
import { type HttpBody, HttpServerResponse, ProblemDetails } from "effect/http"
import type { Problem } from "./Problem.ts"

/** For errors that are not an endpoint's own. */
export const of = <Self>(problem: Problem<Self>, error: Self): HttpServerResponse.HttpServerResponse =>
  ProblemDetails.toResponse(Schema.encodeSync(problem)(error))

/** RFC 9457: no more is known about it than the status says. */
export const blank = (status: number, title: string): HttpServerResponse.HttpServerResponse =>
  ProblemDetails.toResponse({ type: ProblemDetails.blankType, title, status, detail: title })

const text = (body: HttpBody.HttpBody): string => {
  if (body._tag !== "Uint8Array") return "{}"
  return body.text ?? new TextDecoder().decode(body.body)
}

/** After these the rest of the request's body is not worth reading. */
const closes: ReadonlySet<number> = new Set([408, 413])

/** `instance` in the document; `Retry-After` and `Allow` from its members. An error that is no problem document becomes one. */
export const complete = (
  response: HttpServerResponse.HttpServerResponse,
  requestId: string
): HttpServerResponse.HttpServerResponse => {
  const { status } = response
  const isProblem = response.headers["content-type"]?.startsWith(ProblemDetails.contentType) === true
  const source = isProblem ? response : blank(status, `HTTP ${status}`)
  // Written by `Problem.ts` or above: an object.
  const document = JSON.parse(text(source.body)) as Record<string, unknown>
  const { retryAfter, allow } = document
  return HttpServerResponse.jsonUnsafe(
    { ...document, instance: `urn:uuid:${requestId}` },
    {
      status,
      contentType: ProblemDetails.contentType,
      headers: {
        ...(closes.has(status) || response.headers["connection"] === "close" ? { connection: "close" } : {}),
        ...(typeof retryAfter === "number" ? { "retry-after": String(Math.max(1, Math.ceil(retryAfter))) } : {}),
        ...(Array.isArray(allow) ? { allow: allow.join(", ") } : {})
      }
    }
  )
}
