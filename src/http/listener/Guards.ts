/** What the middleware of the API does: see Boundary.ts for what it declares. */
import { Duration, Effect, Layer, type Types } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiError } from "effect/http-api"
import { OutcomeUnknown, Overloaded } from "../../eventstore/EventStoreErrors.ts"
import { Boundary, CommandBoundary, QueryBoundary } from "../api/Boundary.ts"
import { invalidRequest } from "../problems/DecodeErrors.ts"
import { InternalError, InvalidRequest } from "../problems/HttpError.ts"
import { HttpLimits } from "./HttpLimits.ts"
import * as Preference from "../wire/Preference.ts"
import * as RequestBody from "../wire/RequestBody.ts"

const { HttpServerRequest: Request, ParsedSearchParams } = HttpServerRequest

const refuse = (error: Types.unhandled): Effect.Effect<never, Types.unhandled | InvalidRequest | InternalError> => {
  if (!HttpApiError.HttpApiSchemaError.is(error)) return Effect.fail(error)
  if (error.kind !== "Body" && error.kind !== "ResponseHeaders") return Effect.fail(invalidRequest(error))
  return Effect.andThen(Effect.logError("an answer does not fit its schema", error.cause), new InternalError())
}

const boundary = Layer.succeed(Boundary, (httpEffect, { endpoint }) => {
  const decoded = Effect.catch(httpEffect, refuse)
  if (endpoint.query !== undefined) return decoded
  return Effect.flatMap(ParsedSearchParams, (query) => {
    const [name] = Object.keys(query)
    return name === undefined
      ? decoded
      : Effect.fail(InvalidRequest.of(`query.${name.slice(0, 100).toWellFormed()}`, "is unknown here"))
  })
})

const deadline = (request: HttpServerRequest.HttpServerRequest, limits: HttpLimits) =>
  Duration.sum(limits.request, Duration.seconds(Preference.wait(request.headers["prefer"]) ?? 0))

/** The request, with the body as the guard read it. Its other properties stay live. */
const withText = (request: HttpServerRequest.HttpServerRequest, text: string): HttpServerRequest.HttpServerRequest =>
  Object.create(request, { text: { value: Effect.succeed(text) } })

const command = Layer.effect(
  CommandBoundary,
  Effect.map(HttpLimits, (limits) => (httpEffect, { endpoint }) => {
    const takesBody = endpoint.payload.size > 0
    return Effect.gen(function* () {
      const request = yield* Request
      const text = (yield* RequestBody.read(request, limits.body)).trim()
      if (!takesBody && text !== "" && !/^\{\s*\}$/.test(text)) {
        return yield* InvalidRequest.of("body", "is not taken here; leave it out")
      }
      const decoded = Effect.provideService(httpEffect, Request, withText(request, text === "" ? "{}" : text))
      return yield* Effect.timeoutOrElse(takesBody ? decoded : httpEffect, {
        duration: deadline(request, limits),
        orElse: () => Effect.fail(new OutcomeUnknown({ retryAfter: 1 }))
      })
    })
  })
)

const query = Layer.effect(
  QueryBoundary,
  Effect.map(
    HttpLimits,
    (limits) => (httpEffect) =>
      Effect.flatMap(Request, (request) =>
        Effect.timeoutOrElse(httpEffect, {
          duration: deadline(request, limits),
          orElse: () => Effect.fail(new Overloaded({ what: "the read side", retryAfter: 1 }))
        })
      )
  )
)

export const layer = Layer.mergeAll(boundary, command, query)
