/** Reads from a request's headers how `Orders` is to be called. `Reply` is the way back. */
import { Context, Duration, Effect, Result, type Schema, Tracer } from "effect"
import { InvalidIdempotencyKey } from "../../aggregate/CommandErrors.ts"
import type { CommandOptions } from "../../aggregate/idempotency/Commands.ts"
import type { OrderListRequest, QueryOptions } from "../../orders/QueryOptions.ts"
import type { CommandHeaders } from "../api/HttpHeaders.ts"
import type { OrderListQuery } from "../api/ListQuery.ts"
import * as Span from "../../telemetry/Span.ts"
import { InvalidRequest } from "../problems/HttpError.ts"
import * as HeaderValue from "../wire/HeaderValue.ts"
import { RequestId } from "../wire/RequestId.ts"
import { Caller } from "./Caller.ts"

/** Unless the host says who calls, every caller of the order API acts as the operator. */
export const operator: Caller = { actor: "operator" }

/** Gives whoever has no actor one: a customer their own, so that customers share no idempotency keys. */
export const named = (caller: Caller, otherwise: Caller): Caller => ({
  ...(caller.owner === undefined ? otherwise : { actor: `customer:${caller.owner}` }),
  ...caller
})

/**
 * Names the request's span; the caller's own, which events carry, if nothing records spans here. One that is no W3C trace
 * context (version 00) is ignored, as that specification asks.
 */
export const traceOf = (traceparent: string | undefined, context: Context.Context<never>): string | undefined => {
  const span = Context.getOrUndefined(context, Tracer.ParentSpan)
  if (span?._tag === "Span") return Span.toTraceparent(span)
  return traceparent !== undefined && HeaderValue.isTraceparent(traceparent) ? traceparent : undefined
}

/** `traceparent` is what `traceOf` gives. */
export const readCommandOptions = (
  headers: { readonly [Name in keyof CommandHeaders]?: CommandHeaders[Name] | undefined },
  correlationId: string,
  { actor }: Caller,
  traceparent: string | undefined
): Result.Result<CommandOptions, InvalidRequest | InvalidIdempotencyKey> => {
  const { "idempotency-key": key } = headers
  if (headers["if-match"] !== undefined && headers["if-none-match"] !== undefined) {
    return Result.fail(InvalidRequest.of("header.if-match", "can't be sent together with If-None-Match"))
  }
  const idempotencyKey = key === undefined ? undefined : HeaderValue.parseIdempotencyKey(key)
  if (key !== undefined && idempotencyKey === undefined) return Result.fail(new InvalidIdempotencyKey())
  const precondition = HeaderValue.precondition(headers)
  return Result.succeed({
    correlationId,
    ...(actor === undefined ? {} : { actor }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(precondition === undefined ? {} : { precondition }),
    ...(traceparent === undefined ? {} : { traceparent })
  })
}

export const commandOptions = (
  headers: CommandHeaders,
  otherwise = operator
): Effect.Effect<CommandOptions, InvalidRequest | InvalidIdempotencyKey> =>
  Effect.withFiber(({ context }) => {
    const caller = named(Context.get(context, Caller), otherwise)
    const trace = traceOf(headers.traceparent, context)
    return Effect.fromResult(readCommandOptions(headers, Context.get(context, RequestId).uuid, caller, trace))
  })

/**
 * `applied` is the header that tells the caller which preference was honoured; a wait means nothing without a token.
 */
export const queryOptions = (headers: {
  readonly "consistency-token"?: string | undefined
  readonly prefer?: string | undefined
}): { readonly options: QueryOptions; readonly applied: { readonly "preference-applied"?: string } } => {
  const token = headers["consistency-token"]
  if (token === undefined) return { options: {}, applied: {} }
  const wait = HeaderValue.waitOf(headers.prefer)
  if (wait === undefined) return { options: { token }, applied: {} }
  return {
    options: { token, wait: Duration.seconds(wait) },
    applied: { "preference-applied": HeaderValue.preferWait(wait) }
  }
}

/** Makes the request of a list of a query string. */
export const listRequest = (query: Schema.Struct.Type<typeof OrderListQuery>): OrderListRequest => {
  const { cursor, limit, sort, ...filter } = query
  return {
    filter,
    ...(sort === undefined ? {} : { sort }),
    ...(limit === undefined ? {} : { limit }),
    ...(cursor === undefined ? {} : { cursor })
  }
}
