/** Reads from a request's headers how `Orders` is to be called. `Reply` is the way back. */
import { Context, Duration, Effect } from "effect"
import { InvalidIdempotencyKey } from "../../aggregate/CommandErrors.ts"
import type { CommandOptions } from "../../aggregate/idempotency/Commands.ts"
import type { QueryOptions } from "../../orders/QueryOptions.ts"
import type { CommandHeaders, QueryHeaders } from "../api/HttpHeaders.ts"
import { InvalidRequest } from "../problems/HttpError.ts"
import * as HeaderValue from "../wire/HeaderValue.ts"
import { RequestId } from "../wire/RequestId.ts"
import { Caller } from "./Caller.ts"

/** Unless the host says who calls, every caller of the order API acts as the operator. */
const operator: Caller = { actor: "operator" }

/** A `traceparent` that is no W3C trace context (version 00) is ignored, as that specification asks. */
export const commandOptions = (
  headers: CommandHeaders,
  otherwise = operator
): Effect.Effect<CommandOptions, InvalidRequest | InvalidIdempotencyKey> =>
  Effect.withFiber(({ context }): ReturnType<typeof commandOptions> => {
    const { uuid: correlationId } = Context.get(context, RequestId)
    const { "idempotency-key": key, traceparent } = headers
    if (headers["if-match"] !== undefined && headers["if-none-match"] !== undefined) {
      return Effect.fail(InvalidRequest.of("header.if-match", "can't be sent together with If-None-Match"))
    }
    const idempotencyKey = key === undefined ? undefined : HeaderValue.parseIdempotencyKey(key)
    if (key !== undefined && idempotencyKey === undefined) return Effect.fail(new InvalidIdempotencyKey())
    const precondition = HeaderValue.precondition(headers)
    return Effect.succeed({
      correlationId,
      ...otherwise,
      ...Context.get(context, Caller),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      ...(precondition === undefined ? {} : { precondition }),
      ...(traceparent !== undefined && HeaderValue.isTraceparent(traceparent) ? { traceparent } : {})
    })
  })

/**
 * `applied` is the header that tells the caller which preference was honoured; a wait means nothing without a token.
 */
export const queryOptions = (
  headers: QueryHeaders
): { readonly options: QueryOptions; readonly applied: { readonly "preference-applied"?: string } } => {
  const token = headers["consistency-token"]
  if (token === undefined) return { options: {}, applied: {} }
  const wait = HeaderValue.waitOf(headers.prefer)
  if (wait === undefined) return { options: { token }, applied: {} }
  return {
    options: { token, wait: Duration.seconds(wait) },
    applied: { "preference-applied": HeaderValue.preferWait(wait) }
  }
}
