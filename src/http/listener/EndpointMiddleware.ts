/**
 * Implements the middleware that `api/Boundary.ts` declares: it reads the body of a command, ends a request at its
 * deadline, and turns what can't be decoded into problems.
 */
import { Duration, Effect, Layer, type Types } from "effect"
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

const boundary = Layer.succeed(
  Boundary,
  Effect.fnUntraced(function* (httpEffect, { endpoint }) {
    const [name] = endpoint.query === undefined ? Object.keys(yield* ParsedSearchParams) : []
    if (name !== undefined) {
      return yield* InvalidRequest.of(`query.${name.slice(0, 100).toWellFormed()}`, "is unknown here")
    }
    return yield* Effect.catch(httpEffect, translate)
  })
)

/**
 * Gives the time in which a request must be answered: `limits.request`, plus the seconds that its `Prefer: wait=N`
 * header lets it wait for a view.
 */
const deadline = (request: HttpServerRequest.HttpServerRequest, limits: HttpLimits) =>
  Duration.sum(limits.request, Duration.seconds(HeaderValue.waitOf(request.headers["prefer"]) ?? 0))

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
  Effect.map(HttpLimits, (limits) =>
    Effect.fnUntraced(function* (httpEffect, { endpoint }) {
      const takesBody = endpoint.payload.size > 0
      const request = yield* Request
      const text = (yield* RequestBody.read(request, limits.body)).trim()
      if (!takesBody && text !== "" && !/^\{\s*\}$/.test(text)) {
        return yield* InvalidRequest.of("body", "is not taken here; leave it out")
      }
      const decoded = Effect.provideService(httpEffect, Request, withText(request, text === "" ? "{}" : text)).pipe(
        Effect.mapError(explain(text === "" ? "{}" : text))
      )
      return yield* Effect.timeoutOrElse(takesBody ? decoded : httpEffect, {
        duration: deadline(request, limits),
        orElse: () => Effect.fail(new OutcomeUnknown({ retryAfter: 1 }))
      })
    })
  )
)

const query = Layer.effect(
  QueryBoundary,
  Effect.map(HttpLimits, (limits) =>
    Effect.fnUntraced(function* (httpEffect) {
      const duration = deadline(yield* Request, limits)
      return yield* Effect.timeoutOrElse(httpEffect, {
        duration,
        orElse: () => Effect.fail(new QueryOverdue({ seconds: Duration.toSeconds(duration), retryAfter: 1 }))
      })
    })
  )
)

export const layer = Layer.mergeAll(boundary, command, query)
