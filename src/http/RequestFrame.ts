/**
 * Around every request, the API's or not: its id, the headers of every answer, and a problem document for every error that
 * is not an endpoint's own: unknown path, unknown method, defects, and being stopped in the middle.
 */
import { Cause, Effect, type Types } from "effect"
import { HttpRouter, HttpServerError, HttpServerRequest, HttpServerResponse } from "effect/http"
import { OutcomeUnknown } from "../eventlog/Unavailable.ts"
import { Draining } from "../eventsourcing/SendError.ts"
import * as AllowedMethods from "./AllowedMethods.ts"
import { Api } from "./Api.ts"
import { InternalError, InvalidRequest, MethodNotAllowed, RouteNotFound } from "./HttpError.ts"
import * as ProblemResponse from "./ProblemResponse.ts"
import * as Problems from "./ProblemTypes.ts"
import * as RequestId from "./RequestId.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

const maxUrl = 8 * 1024
const maxHeaders = 100

export const pages = ["/openapi.json", "/docs"] as const
const allowedMethods = AllowedMethods.make(Api, pages)

const isSafe = (request: Request): boolean => ["GET", "HEAD", "OPTIONS"].includes(request.method)

const invalid = (path: string, message: string): Response =>
  ProblemResponse.of(Problems.invalidRequest, InvalidRequest.of(path, message))

const noRoute = (request: Request): Response => {
  const allow = allowedMethods(request.url)
  if (allow.length === 0) return ProblemResponse.of(Problems.notFound, new RouteNotFound())
  // The path and the method are known, so the router could not read an id in it.
  if (allow.includes(request.method)) return invalid("path", "Expected valid percent-encoding")
  return ProblemResponse.of(Problems.methodNotAllowed, new MethodNotAllowed({ allow }))
}

const isRouteNotFound = (error: unknown): boolean =>
  HttpServerError.isHttpServerError(error) && error.reason._tag === "RouteNotFound"

const failed = (request: Request, cause: Cause.Cause<unknown>): Effect.Effect<Response> => {
  if (cause.reasons.some((reason) => Cause.isFailReason(reason) && isRouteNotFound(reason.error))) {
    return Effect.succeed(noRoute(request))
  }
  if (Cause.hasInterruptsOnly(cause)) {
    // The caller has gone, or this process is stopping. Nobody or a retry reads the answer.
    const answer = isSafe(request)
      ? ProblemResponse.of(Problems.draining, new Draining({ retryAfter: 1 }))
      : ProblemResponse.of(Problems.outcomeUnknown, new OutcomeUnknown({ retryAfter: 1 }))
    return Effect.as(Effect.logDebug("the request was interrupted"), answer)
  }
  return Effect.as(
    Effect.logError("the request failed by a defect", cause),
    ProblemResponse.of(Problems.internal, new InternalError())
  )
}

const refused = (request: Request): Response | undefined => {
  if (request.headers["host"] === undefined) {
    return HttpServerResponse.setHeader(invalid("header.host", "is missing"), "connection", "close")
  }
  if (request.url.length > maxUrl) return ProblemResponse.blank(414, "URI too long")
  if (Object.keys(request.headers).length > maxHeaders) return ProblemResponse.blank(431, "Too many headers")
  return undefined
}

const finish = (response: Response, ids: RequestId.RequestIds): Response =>
  HttpServerResponse.setHeaders(response.status < 400 ? response : ProblemResponse.complete(response, ids.uuid), {
    "x-request-id": ids.echo,
    "x-content-type-options": "nosniff",
    "cache-control": response.headers["cache-control"] ?? "private, no-cache"
  })

export const layer = HttpRouter.middleware(
  (httpEffect): Effect.Effect<Response, Types.unhandled, Request> =>
    Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
      const ids = RequestId.make(request.headers["x-request-id"])
      const refusal = refused(request)
      const answer = refusal === undefined ? httpEffect : Effect.succeed(refusal)
      return answer.pipe(
        Effect.catchCause((cause) =>
          Effect.annotateLogs(failed(request, cause), { requestId: ids.uuid, method: request.method, url: request.url })
        ),
        Effect.provideService(RequestId.RequestId, ids),
        Effect.map((response) => finish(response, ids))
      )
    }),
  { global: true }
)
