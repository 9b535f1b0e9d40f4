/**
 * Implements the middleware that `api/Boundary.ts` declares: it reads the body of a command, sets a request's deadline,
 * and turns what can't be decoded into problems.
 */
import { Context, Effect, Layer, type Types } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiError } from "effect/http-api"
import { Boundary, CommandBoundary, QueryBoundary } from "../api/Boundary.ts"
import { Attempt } from "../handlers/Attempt.ts"
import { invalidRequest } from "../problems/DecodeErrors.ts"
import { InternalError, InvalidRequest } from "../problems/HttpError.ts"
import * as JsonSyntax from "../wire/JsonSyntax.ts"
import * as RequestBody from "../wire/RequestBody.ts"
import { HttpLimits } from "./HttpLimits.ts"
import * as MountedEndpoint from "./MountedEndpoint.ts"
import * as RequestDeadline from "./RequestDeadline.ts"

const { HttpServerRequest: Request, ParsedSearchParams } = HttpServerRequest

/** A parameter that is given twice was decoded as a list, which its schema refuses. */
const ofRepeated = (error: InvalidRequest, params: Readonly<Record<string, unknown>>) =>
  new InvalidRequest({
    errors: error.errors.map(({ message, path }) => {
      const isRepeated = Array.isArray(params[path.slice("query.".length)])
      return { path, message: isRepeated ? "was given twice; give it once" : message }
    })
  })

const translate = Effect.fnUntraced(function* (error: Types.unhandled) {
  if (!HttpApiError.HttpApiSchemaError.is(error)) return yield* Effect.fail(error)
  if (error.kind === "Query") return yield* ofRepeated(invalidRequest(error), yield* ParsedSearchParams)
  if (error.kind !== "Body" && error.kind !== "ResponseHeaders") return yield* invalidRequest(error)
  yield* Effect.logError("An answer does not fit its schema.", error.cause)
  return yield* new InternalError()
})

/** An endpoint without a query takes no parameters. */
const refuseParameters = Effect.withFiber(({ context }) => {
  for (const name in Context.getUnsafe(context, ParsedSearchParams)) {
    return Effect.fail(InvalidRequest.of(`query.${name.slice(0, 100).toWellFormed()}`, "is unknown here"))
  }
  return Effect.void
})

const boundary = Layer.succeed(Boundary, (httpEffect, { endpoint }) => {
  const translated = Effect.catch(httpEffect, translate)
  const judged = endpoint.query === undefined ? Effect.andThen(refuseParameters, translated) : translated
  const mounted = MountedEndpoint.make(endpoint)(judged)
  return Effect.withFiber(({ context }) =>
    Context.getOption(context, RequestDeadline.RequestDeadline)._tag === "Some" ? judged : mounted
  )
})

/** Says where the body is no JSON, which the framework does not tell. */
const explain = (text: string) => (error: Types.unhandled) => {
  const isPayload = HttpApiError.HttpApiSchemaError.is(error) && error.kind === "Payload"
  const mistake = isPayload ? JsonSyntax.mistakeIn(text) : undefined
  return mistake === undefined ? error : InvalidRequest.of("body", mistake)
}

/** Replaces the text of the request's body; every other property still reads the request itself. */
const withText = (request: HttpServerRequest.HttpServerRequest, text: string): HttpServerRequest.HttpServerRequest =>
  Object.create(request, { text: { value: Effect.succeed(text) } })

const command = Layer.effect(
  CommandBoundary,
  Effect.map(
    HttpLimits,
    (limits) =>
      (httpEffect, { endpoint }) =>
        Effect.withFiber((fiber) => {
          const request = Context.getUnsafe(fiber.context, Request)
          const deadline = Context.getUnsafe(fiber.context, RequestDeadline.RequestDeadline)
          const { body: read = RequestBody.read(request, limits.body) } = fiber.getRef(Attempt)
          return Effect.flatMap(read, (sent) => {
            const text = sent.trim()
            if (endpoint.payload.size === 0) {
              if (text !== "" && !/^\{\s*\}$/.test(text)) {
                return Effect.fail(InvalidRequest.of("body", "is not taken here; leave it out"))
              }
              RequestDeadline.ofCommand(deadline, fiber, request, limits)
              return httpEffect
            }
            RequestDeadline.ofCommand(deadline, fiber, request, limits)
            const body = text === "" ? "{}" : text
            return Effect.provideService(httpEffect, Request, withText(request, body)).pipe(
              Effect.mapError(explain(body))
            )
          })
        })
  )
)

const query = Layer.effect(
  QueryBoundary,
  Effect.map(
    HttpLimits,
    (limits) => (httpEffect) =>
      Effect.withFiber((fiber) => {
        const deadline = Context.getUnsafe(fiber.context, RequestDeadline.RequestDeadline)
        RequestDeadline.ofQuery(deadline, fiber, Context.getUnsafe(fiber.context, Request), limits)
        return httpEffect
      })
  )
)

export const layer = Layer.mergeAll(boundary, command, query)
