/** Writes problem documents outside of endpoints, and completes every problem document on its way out. */
import { Schema } from "effect"
import { type HttpBody, HttpServerResponse, ProblemDetails } from "effect/http"
import type { Problem } from "./Problem.ts"

/** Answers an error that is not an endpoint's own. */
export const of = <Self>(problem: Problem<Self>, error: Self): HttpServerResponse.HttpServerResponse =>
  ProblemDetails.toResponse(Schema.encodeSync(problem)(error))

/** Answers a problem of which no more is known than its status (RFC 9457, 4.2.1). */
export const blank = (status: number, title: string): HttpServerResponse.HttpServerResponse =>
  ProblemDetails.toResponse({ type: ProblemDetails.blankType, title, status, detail: title })

const text = (body: HttpBody.HttpBody): string => {
  if (body._tag !== "Uint8Array") return "{}"
  return body.text ?? new TextDecoder().decode(body.body)
}

/** The connection is closed after these statuses, since the rest of the request's body is not worth reading. */
const closes: ReadonlySet<number> = new Set([408, 413])

/** Says in a header what the server would take instead (RFC 9110, 12.5.1 and 12.5.3). */
const acceptable: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "content-type": { accept: "application/json" },
  "content-encoding": { "accept-encoding": "identity" }
}

/**
 * Says how to be known (RFC 6750, 3): without an error to whoever sent no credential, and which scope a key lacks. These
 * names have neither quotes nor backslashes.
 */
const challenge = ({ reason, scope, status }: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> => {
  if (status === 401) {
    const error = reason === "missing" ? "" : ', error="invalid_token"'
    return { "www-authenticate": `Bearer realm="orders"${error}` }
  }
  return status === 403 && typeof scope === "string"
    ? { "www-authenticate": `Bearer realm="orders", error="insufficient_scope", scope="${scope}"` }
    : {}
}

/** These headers of a response stay, if it has them. */
const kept = ["connection", "link", "upgrade", "sec-websocket-version"] as const

/**
 * Adds `instance` and more members to the document, and from its members the headers `Retry-After`, `Allow`, `Accept`,
 * `Accept-Encoding` and `WWW-Authenticate`. An error that is no problem document becomes one.
 */
export const complete = (
  response: HttpServerResponse.HttpServerResponse,
  requestId: string,
  membersOf: (document: Readonly<Record<string, unknown>>) => object = () => ({})
): HttpServerResponse.HttpServerResponse => {
  const { status } = response
  const isProblem = response.headers["content-type"]?.startsWith(ProblemDetails.contentType) === true
  const source = isProblem ? response : blank(status, `HTTP ${status}`)
  // Either `problem` or `blank` wrote the body, so it is an object.
  const document = JSON.parse(text(source.body)) as Record<string, unknown>
  const { allow, header, retryAfter } = document
  return HttpServerResponse.jsonUnsafe(
    { ...document, ...membersOf(document), instance: `urn:uuid:${requestId}` },
    {
      status,
      contentType: ProblemDetails.contentType,
      headers: {
        ...Object.fromEntries(
          kept.flatMap((name) => (name in response.headers ? [[name, response.headers[name]]] : []))
        ),
        ...(closes.has(status) ? { connection: "close" } : {}),
        ...challenge(document),
        ...(status === 415 ? acceptable[String(header)] : {}),
        ...(typeof retryAfter === "number" ? { "retry-after": String(Math.max(1, Math.ceil(retryAfter))) } : {}),
        ...(Array.isArray(allow) ? { allow: allow.join(", ") } : {})
      }
    }
  )
}
