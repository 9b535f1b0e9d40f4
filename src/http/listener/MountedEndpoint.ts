/**
 * Answers an endpoint that a host has mounted in a router of its own, where RouterMiddleware does not run: with the ids,
 * headers, problem documents and deadline that RouterMiddleware would give it. Which hosts and pages may call is the host's
 * to say, and so is what the host answers on its other paths.
 */
import { Context, Effect, Exit, Fiber, Schema } from "effect"
import { HttpServerRequest, type HttpServerResponse, ProblemDetails } from "effect/http"
import type { HttpApiEndpoint, HttpApiMiddleware } from "effect/http-api"
import * as OrderLinks from "../handlers/OrderLinks.ts"
import { traceOf } from "../handlers/RequestOptions.ts"
import * as RequestId from "../wire/RequestId.ts"
import * as RequestDeadline from "./RequestDeadline.ts"
import { answerFailure, complete } from "./RouterMiddleware.ts"

type Response = HttpServerResponse.HttpServerResponse

/** Whoever answers here has found the route. */
const noMethods = () => []

/** The errors that the endpoint and its middleware list. */
const errorsOf = ({ error, middlewares }: HttpApiEndpoint.Top) => {
  const keys: ReadonlyArray<unknown> = [...middlewares]
  const all = new Set<unknown>(error)
  for (const { error } of keys as ReadonlyArray<HttpApiMiddleware.AnyService>) for (const one of error) all.add(one)
  // No problem needs services to be encoded.
  return [...all] as ReadonlyArray<Schema.Codec<unknown, unknown>>
}

/** Runs the endpoint in a fiber of its own, which ends at the deadline. */
export const make = (endpoint: HttpApiEndpoint.Top) => {
  const encode = Schema.encodeUnknownEffect(Schema.toCodecJson(Schema.Union(errorsOf(endpoint))))
  const toDocument = (error: unknown) =>
    Effect.map(encode(error), (document) => ProblemDetails.toResponse(document as ProblemDetails.ProblemDetails))

  return <E, R>(httpEffect: Effect.Effect<Response, E, R>) =>
    Effect.withFiber(({ context }) => {
      const request = Context.getUnsafe(context, HttpServerRequest.HttpServerRequest)
      const { headers, method, url } = request
      const ids = RequestId.make(headers["x-request-id"])
      const deadline = RequestDeadline.make()
      return Effect.catch(httpEffect, toDocument).pipe(
        Effect.provideService(RequestId.RequestId, ids),
        Effect.provideService(RequestDeadline.RequestDeadline, deadline),
        Effect.forkChild,
        Effect.flatMap(Fiber.await),
        Effect.flatMap((exit): Effect.Effect<Response> => {
          deadline.stop()
          if (Exit.isSuccess(exit)) return Effect.succeed(exit.value)
          const failed = answerFailure(request, exit.cause, noMethods, deadline.overdue())
          return Effect.annotateLogs(failed, { requestId: ids.uuid, method, url })
        }),
        Effect.zipWith(OrderLinks.root, (response, root) =>
          complete(response, ids, traceOf(headers["traceparent"], context), root)
        )
      )
    })
}
