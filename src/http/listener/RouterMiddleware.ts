/**
 * Surrounds every request, whether the API knows its path or not: gives it an id, sets the headers that all answers
 * have, measures its duration, and answers with a problem document each error that is not an endpoint's own: an unknown
 * path or method, a defect, and an interruption.
 */
import { Cause, Clock, Context, Effect, type Fiber, type Types } from "effect"
import { type FindMyWay, HttpRouter, HttpServerError, HttpServerRequest, HttpServerResponse } from "effect/http"
import type { HttpApi, HttpApiGroup } from "effect/http-api"
import { Draining } from "../../aggregate/CommandErrors.ts"
import { OutcomeUnknown } from "../../eventstore/EventStoreErrors.ts"
import * as Span from "../../telemetry/Span.ts"
import { Attempt } from "../handlers/Attempt.ts"
import * as OrderLinks from "../handlers/OrderLinks.ts"
import type { Ready } from "../handlers/Reply.ts"
import { traceOf } from "../handlers/RequestOptions.ts"
import { InternalError, InvalidRequest, MethodNotAllowed, RouteNotFound } from "../problems/HttpError.ts"
import * as ProblemResponse from "../problems/ProblemResponse.ts"
import { Problems } from "../problems/Problems.ts"
import * as RequestMeasure from "../transport/RequestMeasure.ts"
import * as SecurityHeaders from "../transport/SecurityHeaders.ts"
import * as RequestId from "../wire/RequestId.ts"
import * as RateLimits from "../admission/RateLimits.ts"
import * as AllowedMethods from "./AllowedMethods.ts"
import { AllowedSites } from "./AllowedSites.ts"
import * as EntityTags from "./EntityTags.ts"
import * as ForeignRequests from "./ForeignRequests.ts"
import * as HotRoutes from "./HotRoutes.ts"
import * as RequestDeadline from "./RequestDeadline.ts"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse
type AllowedMethods = ReturnType<typeof AllowedMethods.make>

const maxUrl = 8 * 1024
const maxHeaders = 100

export interface Options<Id extends string, Groups extends HttpApiGroup.Constraint> {
  readonly api: HttpApi.HttpApi<Id, Groups>
  /** These paths outside of the API are read with GET. */
  readonly pages: ReadonlyArray<FindMyWay.PathInput>
  /** Pages of other sites may do what `AllowedSites` and `ForeignRequests` say, or nothing at all. */
  readonly otherSites: "allowed" | "none"
}

const isReady = (answer: Ready | Response): answer is Ready => !HttpServerResponse.isHttpServerResponse(answer)

const isSafe = (request: Request): boolean => ["GET", "HEAD", "OPTIONS"].includes(request.method)

const invalid = (path: string, message: string): Response =>
  ProblemResponse.of(Problems.InvalidRequest, InvalidRequest.of(path, message))

/** Closes the connection after the answer, since the next request can't be told from the rest of this one. */
const last = (response: Response): Response => HttpServerResponse.setHeader(response, "connection", "close")

/** The router ends a path at these characters, so `/orders;a` would be another name of `/orders`. */
const hasAlias = (url: string): boolean => /^[^?]*[;#]/.test(url)

const countOf = (headers: Request["headers"]): number => {
  let count = 0
  for (const _ in headers) count++
  return count
}

const refuseMalformed = (request: Request): Response | undefined => {
  const { host, "transfer-encoding": coding = "chunked" } = request.headers
  if (host === undefined) return last(invalid("header.host", "is missing"))
  if (host.includes(",")) return last(invalid("header.host", "was given twice; give it once"))
  if (coding.toLowerCase() !== "chunked")
    return last(ProblemResponse.blank(501, "No transfer coding but chunked is known"))
  if (request.url.length > maxUrl) return ProblemResponse.blank(414, "URI too long")
  if (hasAlias(request.url)) return ProblemResponse.of(Problems.RouteNotFound, new RouteNotFound())
  if (countOf(request.headers) > maxHeaders) return ProblemResponse.blank(431, "Too many headers")
  return undefined
}

const noRoute = (request: Request, allowedMethods: AllowedMethods): Response => {
  const allow = allowedMethods(request.url)
  if (allow.length === 0) return ProblemResponse.of(Problems.RouteNotFound, new RouteNotFound())
  // The path and the method are known, so it was an id in the path that the router could not decode.
  if (allow.includes(request.method)) return invalid("path", "Expected valid percent-encoding")
  return ProblemResponse.of(Problems.MethodNotAllowed, new MethodNotAllowed({ allow }))
}

const isRouteNotFound = (error: unknown): boolean =>
  HttpServerError.isHttpServerError(error) && error.reason._tag === "RouteNotFound"

const hasCallerLeft = ({ reasons }: Cause.Cause<unknown>): boolean =>
  reasons.some(({ annotations }) => annotations.has(HttpServerError.ClientAbort.key))

export const answerFailure = Effect.fnUntraced(function* (
  request: Request,
  cause: Cause.Cause<unknown>,
  allowedMethods: AllowedMethods,
  overdue: RequestDeadline.Overdue | undefined
) {
  if (cause.reasons.some((reason) => Cause.isFailReason(reason) && isRouteNotFound(reason.error))) {
    return noRoute(request, allowedMethods)
  }
  if (!Cause.hasInterruptsOnly(cause)) {
    yield* Effect.logError("The request failed with a defect.", cause)
    return ProblemResponse.of(Problems.InternalError, new InternalError())
  }
  if (overdue?._tag === "QueryOverdue") return ProblemResponse.of(Problems.QueryOverdue, overdue)
  if (overdue !== undefined) return ProblemResponse.of(Problems.OutcomeUnknown, overdue)
  // Nobody reads this answer, but it is counted.
  if (hasCallerLeft(cause)) return ProblemResponse.blank(499, "Client closed request")
  yield* Effect.logDebug("The request was interrupted because this process is stopping.")
  return isSafe(request)
    ? ProblemResponse.of(Problems.Draining, new Draining({ retryAfter: 1 }))
    : ProblemResponse.of(Problems.OutcomeUnknown, new OutcomeUnknown({ retryAfter: 1 }))
})

export const complete = (
  response: Response,
  ids: RequestId.RequestIds,
  traceparent: string | undefined,
  root: string,
  more?: Readonly<Record<string, string>>
): Response => {
  const actions = (document: Readonly<Record<string, unknown>>) => OrderLinks.ofProblem(root, document)
  const completed = response.status < 400 ? response : ProblemResponse.complete(response, ids.uuid, actions)
  const headers: Record<string, string> = {
    "x-request-id": ids.echo,
    "x-content-type-options": "nosniff",
    "cache-control": response.headers["cache-control"] ?? "private, no-cache",
    ...more
  }
  if (traceparent !== undefined) headers["traceparent"] = traceparent
  if (SecurityHeaders.isHtml(response)) {
    const policy = response.headers["content-security-policy"]
    Object.assign(headers, SecurityHeaders.ofHtml, policy === undefined ? {} : { "content-security-policy": policy })
  }
  return HttpServerResponse.setHeaders(completed, headers)
}

/** Tells the request's span which route it took, as the router does for those that reach it. */
const nameRoute = (fiber: Fiber.Fiber<unknown, unknown>, path: string): void => {
  const span = Span.current(fiber)
  if (span?._tag === "Span") span.attribute("http.route", path)
}

/** Probes come all the time, often through one proxy; nothing that they ask costs much. */
const isProbe = ({ url }: Request): boolean => url.startsWith("/health/")

/** A browser sends it by itself, besides the request that is counted. */
const isPreflight = ({ method }: Request): boolean => method === "OPTIONS"

/** The request of a WebSocket lasts as long as its connection, so its duration says nothing. */
const isWebSocket = ({ headers }: Request, { status }: Response) =>
  headers["upgrade"] !== undefined && (status < 400 || status === 499)

export const layer = <Id extends string, Groups extends HttpApiGroup.Constraint>({
  api,
  otherSites,
  pages
}: Options<Id, Groups>) =>
  HttpRouter.middleware(
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      const measure = yield* RequestMeasure.make
      const allowedMethods = AllowedMethods.make(api, pages)
      const isPage = (url: string) => pages.some((page) => url === page || url.startsWith(`${page}?`))
      const allowed = yield* AllowedSites
      const sites = otherSites === "allowed" ? allowed : { ...allowed, origins: [] }
      const refuseForeign = ForeignRequests.refuse(sites, otherSites === "allowed")
      const admit = ForeignRequests.admit(sites)
      // Operators are few, and their port is not for others.
      const limits = otherSites === "allowed" ? yield* RateLimits.RateLimits : undefined
      // The answers to pages of allowed origins have headers that hot routes do not know of.
      const findHot = sites.origins.length === 0 ? yield* HotRoutes.HotRoutes : () => undefined

      return (
        httpEffect: Effect.Effect<Response, Types.unhandled>
      ): Effect.Effect<Response, Types.unhandled, Request> => {
        const admitted = admit(httpEffect)
        // This runs for every request, so it is one function over the request and its fiber, and not a chain of effects.
        return Effect.withFiber((fiber) => {
          const start = clock.monotonicTimeNanosUnsafe()
          const request = Context.getUnsafe(fiber.context, HttpServerRequest.HttpServerRequest)
          const { headers, method, url } = request
          const ids = RequestId.make(headers["x-request-id"])
          const deadline = RequestDeadline.make()
          const trace = traceOf(headers["traceparent"], fiber.context)
          const hot = findHot(request)
          if (hot !== undefined) nameRoute(fiber, hot.path)
          let limitHeaders: RateLimits.Headers | undefined

          const answer = (response: Response) => {
            deadline.stop()
            if (!isWebSocket(request, response)) {
              // The router leaves the route in the fiber until the request has been answered.
              const route = Context.getOrUndefined(fiber.context, HttpRouter.RouteContext)?.route.path
              measure(method, route ?? hot?.path ?? "none", response.status, start, ids)
            }
            const answered = isPage(url)
              ? SecurityHeaders.withPolicy(EntityTags.conditional(request, response))
              : response
            if (answered.status < 400) return Effect.succeed(complete(answered, ids, trace, "", limitHeaders))
            return Effect.map(OrderLinks.root, (root) => complete(answered, ids, trace, root, limitHeaders))
          }

          const refusal = refuseMalformed(request) ?? refuseForeign(request)
          if (refusal !== undefined) return answer(refusal)
          const endpoint = (attempt?: Attempt) => {
            const own = Context.add(
              Context.add(fiber.context, RequestId.RequestId, ids),
              RequestDeadline.RequestDeadline,
              deadline
            )
            // The enclosing request restores the fiber's context.
            fiber.setContext(attempt === undefined ? own : Context.add(own, Attempt, attempt))
            return admitted
          }
          const route = () =>
            hot === undefined ? endpoint() : hot.answer({ request, ids, deadline, fiber, trace, endpoint })
          const keep = (headers: RateLimits.Headers) => (limitHeaders = headers)
          const isLimited = limits !== undefined && !isProbe(request) && !isPreflight(request)
          const routed = isLimited ? RateLimits.admit(limits, request, fiber, route, keep) : route()
          return Effect.matchCauseEffect(routed, {
            onSuccess: (made) => {
              // A limit refuses before the headers are set that let pages of allowed origins read an answer.
              if (!isReady(made)) {
                return made.status === 429 ? Effect.flatMap(admit(Effect.succeed(made)), answer) : answer(made)
              }
              deadline.stop()
              measure(method, hot?.path ?? "none", made.status, start, ids)
              return Effect.succeed(HotRoutes.write(request, made, ids, trace, limitHeaders))
            },
            onFailure: (cause) => {
              deadline.stop()
              const failed = answerFailure(request, cause, allowedMethods, deadline.overdue())
              return Effect.flatMap(Effect.annotateLogs(failed, { requestId: ids.uuid, method, url }), answer)
            }
          })
        })
      }
    }),
    { global: true }
  )
