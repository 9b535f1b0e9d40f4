/**
 * Implements the middleware that `api/Boundary.ts` declares: it reads the body of a command, sets a request's deadline,
 * and turns what can't be decoded into problems.
 */
import { Context, Duration, Effect, type Fiber, Layer, type Types } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiError } from "effect/http-api"
import { OutcomeUnknown } from "../../eventstore/EventStoreErrors.ts"
import { Boundary, CommandBoundary, QueryBoundary } from "../api/Boundary.ts"
import { invalidRequest } from "../problems/DecodeErrors.ts"
import { InternalError, InvalidRequest, QueryOverdue } from "../problems/HttpError.ts"
import * as HeaderValue from "../wire/HeaderValue.ts"
import * as JsonSyntax from "../wire/JsonSyntax.ts"
import * as RequestBody from "../wire/RequestBody.ts"
import { HttpLimits } from "./HttpLimits.ts"
import { type Overdue, RequestDeadline } from "./RequestDeadline.ts"

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
  return endpoint.query === undefined ? Effect.andThen(refuseParameters, translated) : translated
})

/**
 * Ends a request at its deadline, which is `limits.request` from now, plus the seconds that its `Prefer: wait=N` header
 * lets it wait for a view.
 */
const endInTime = (
  fiber: Fiber.Fiber<unknown, unknown>,
  { headers }: HttpServerRequest.HttpServerRequest,
  limits: HttpLimits,
  error: (seconds: number) => Overdue
): void => {
  const seconds = Duration.toSeconds(limits.request) + (HeaderValue.waitOf(headers["prefer"]) ?? 0)
  Context.getUnsafe(fiber.context, RequestDeadline).start(fiber, seconds * 1000, () => error(seconds))
}

/** Says where the body is no JSON, which the framework does not tell. */
const explain = (text: string) => (error: Types.unhandled) => {
  const isPayload = HttpApiError.HttpApiSchemaError.is(error) && error.kind === "Payload"
  const mistake = isPayload ? JsonSyntax.mistakeIn(text) : undefined
  return mistake === undefined ? error : InvalidRequest.of("body", mistake)
}

/** Replaces the text of the request's body; every other property still reads the request itself. */
const withText = (request: HttpServerRequest.HttpServerRequest, text: string): HttpServerRequest.HttpServerRequest =>
  Object.create(request, { text: { value: Effect.succeed(text) } })

const unknownOutcome = (): Overdue => new OutcomeUnknown({ retryAfter: 1 })
const noAnswer = (seconds: number): Overdue => new QueryOverdue({ seconds, retryAfter: 1 })

const command = Layer.effect(
  CommandBoundary,
  Effect.map(
    HttpLimits,
    (limits) =>
      (httpEffect, { endpoint }) =>
        Effect.withFiber((fiber) => {
          const request = Context.getUnsafe(fiber.context, Request)
          return Effect.flatMap(RequestBody.read(request, limits.body), (sent) => {
            const text = sent.trim()
            if (endpoint.payload.size === 0) {
              if (text !== "" && !/^\{\s*\}$/.test(text)) {
                return Effect.fail(InvalidRequest.of("body", "is not taken here; leave it out"))
              }
              endInTime(fiber, request, limits, unknownOutcome)
              return httpEffect
            }
            endInTime(fiber, request, limits, unknownOutcome)
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
        endInTime(fiber, Context.getUnsafe(fiber.context, Request), limits, noAnswer)
        return httpEffect
      })
  )
)

export const layer = Layer.mergeAll(boundary, command, query)
