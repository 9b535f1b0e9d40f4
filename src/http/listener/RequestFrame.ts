/**
 * Around every request, the API's or not: its id, the headers of every answer, and a problem document for every error that
 * is not an endpoint's own: unknown path, unknown method, defects, and being stopped in the middle. It also takes the time.
 */
import { Cause, Clock, Context, Effect, Layer, type Types } from "effect"
import { HttpRouter, HttpServerError, HttpServerRequest, HttpServerResponse } from "effect/http"
import type { HttpApi, HttpApiGroup } from "effect/http-api"
import { OutcomeUnknown } from "../../eventstore/EventStoreErrors.ts"
import { Draining } from "../../aggregate/CommandErrors.ts"
import * as Metrics from "../../telemetry/Metrics.ts"
import * as AllowedMethods from "./AllowedMethods.ts"
import { InternalError, InvalidRequest, MethodNotAllowed, RouteNotFound } from "../problems/HttpError.ts"
import * as ProblemResponse from "../problems/ProblemResponse.ts"
import { Problems } from "../problems/Problems.ts"
import * as RequestId from "../wire/RequestId.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

const maxUrl = 8 * 1024
const maxHeaders = 100

type AllowedMethods = ReturnType<typeof AllowedMethods.make>

export interface Options<Id extends string, Groups extends HttpApiGroup.Constraint> {
  readonly api: HttpApi.HttpApi<Id, Groups>
  /** Paths outside of the API that are read with GET. */
  readonly pages: ReadonlyArray<string>
  /** Answers a request that must not even be routed. */
  readonly refuse?: (request: Request) => Response | undefined
}

const isSafe = (request: Request): boolean => ["GET", "HEAD", "OPTIONS"].includes(request.method)

const invalid = (path: string, message: string): Response =>
  ProblemResponse.of(Problems.InvalidRequest, InvalidRequest.of(path, message))

const noRoute = (request: Request, allowedMethods: AllowedMethods): Response => {
  const allow = allowedMethods(request.url)
  if (allow.length === 0) return ProblemResponse.of(Problems.RouteNotFound, new RouteNotFound())
  // The path and the method are known, so the router could not read an id in it.
  if (allow.includes(request.method)) return invalid("path", "Expected valid percent-encoding")
  return ProblemResponse.of(Problems.MethodNotAllowed, new MethodNotAllowed({ allow }))
}

const isRouteNotFound = (error: unknown): boolean =>
  HttpServerError.isHttpServerError(error) && error.reason._tag === "RouteNotFound"

const hasCallerLeft = ({ reasons }: Cause.Cause<unknown>): boolean =>
  reasons.some(({ annotations }) => annotations.has(HttpServerError.ClientAbort.key))

const failed = (
  request: Request,
  cause: Cause.Cause<unknown>,
  allowedMethods: AllowedMethods
): Effect.Effect<Response> => {
  if (cause.reasons.some((reason) => Cause.isFailReason(reason) && isRouteNotFound(reason.error))) {
    return Effect.succeed(noRoute(request, allowedMethods))
  }
  if (Cause.hasInterruptsOnly(cause)) {
    // Nobody reads it; it is counted.
    if (hasCallerLeft(cause)) return Effect.succeed(ProblemResponse.blank(499, "Client closed request"))
    // This process is stopping.
    const answer = isSafe(request)
      ? ProblemResponse.of(Problems.Draining, new Draining({ retryAfter: 1 }))
      : ProblemResponse.of(Problems.OutcomeUnknown, new OutcomeUnknown({ retryAfter: 1 }))
    return Effect.as(Effect.logDebug("the request was interrupted"), answer)
  }
  return Effect.as(
    Effect.logError("the request failed by a defect", cause),
    ProblemResponse.of(Problems.InternalError, new InternalError())
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

/** The router leaves it in the fiber until the request has been answered. */
const routeOf = Effect.withFiber((fiber) =>
  Effect.succeed(Context.getOrUndefined(fiber.context, HttpRouter.RouteContext)?.route.path ?? "none")
)

/** A WebSocket's request lasts as long as its connection, which says nothing. */
const isWebSocket = ({ headers }: Request, { status }: Response) =>
  headers["upgrade"] !== undefined && (status < 400 || status === 499)

const measure = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const duration = yield* Metrics.requestDuration
  return (request: Request, answer: Effect.Effect<Response, Types.unhandled, Request>) => {
    const start = clock.monotonicTimeNanosUnsafe()
    return Effect.tap(answer, (response) =>
      Effect.map(routeOf, (route) => {
        if (isWebSocket(request, response)) return
        const seconds = Number(clock.monotonicTimeNanosUnsafe() - start) / 1e9
        duration(seconds, request.method, route, String(response.status))
      })
    )
  }
})

export const layer = <Id extends string, Groups extends HttpApiGroup.Constraint>(options: Options<Id, Groups>) => {
  const allowedMethods = AllowedMethods.make(options.api, options.pages)
  const frame = (measured: Effect.Success<typeof measure>) =>
    HttpRouter.middleware(
      (httpEffect): Effect.Effect<Response, Types.unhandled, Request> =>
        Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
          const ids = RequestId.make(request.headers["x-request-id"])
          const refusal = refused(request) ?? options.refuse?.(request)
          const answer = (refusal === undefined ? httpEffect : Effect.succeed(refusal)).pipe(
            Effect.catchCause((cause) =>
              Effect.annotateLogs(failed(request, cause, allowedMethods), {
                requestId: ids.uuid,
                method: request.method,
                url: request.url
              })
            )
          )
          return measured(request, answer).pipe(
            Effect.provideService(RequestId.RequestId, ids),
            Effect.map((response) => finish(response, ids))
          )
        }),
      { global: true }
    )
  return Layer.unwrap(Effect.map(measure, frame))
}
