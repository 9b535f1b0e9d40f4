/** Turns the options of `Orders` into request headers, which the server reads back in `handlers/RequestOptions.ts`. */
import { Duration, Effect } from "effect"
import type { Precondition } from "../../aggregate/actor/Envelope.ts"
import { InvalidIdempotencyKey, isIdempotencyKey } from "../../aggregate/CommandErrors.ts"
import type { CommandOptions } from "../../aggregate/idempotency/Commands.ts"
import type { QueryOptions } from "../../orders/QueryOptions.ts"
import * as ConsistencyToken from "../../projection/consistency/ConsistencyToken.ts"
import type { CommandHeaders, QueryHeaders } from "../api/HttpHeaders.ts"
import * as HeaderValue from "../wire/HeaderValue.ts"
import { isUuid } from "../wire/RequestId.ts"

const ofPrecondition = (expected: Precondition): CommandHeaders => {
  if (expected === undefined) return {}
  if (expected === "absent") return { "if-none-match": "*" }
  if (expected === "exists") return { "if-match": "*" }
  return { "if-match": [expected].flat().map(HeaderValue.entityTag).join(", ") }
}

/**
 * `actor`, `causationId` and `fresh` are not sent: the server finds out by itself who calls. `correlationId` becomes
 * the request's id if it is a UUID.
 */
export const ofCommand = ({
  correlationId,
  idempotencyKey,
  precondition,
  traceparent
}: CommandOptions): Effect.Effect<CommandHeaders, InvalidIdempotencyKey> => {
  if (idempotencyKey !== undefined && !isIdempotencyKey(idempotencyKey)) return Effect.fail(new InvalidIdempotencyKey())
  return Effect.succeed({
    ...ofPrecondition(precondition),
    ...(idempotencyKey === undefined ? {} : { "idempotency-key": HeaderValue.formatIdempotencyKey(idempotencyKey) }),
    ...(correlationId !== undefined && isUuid(correlationId) ? { "x-request-id": correlationId } : {}),
    ...(traceparent === undefined ? {} : { traceparent })
  })
}

/** Rounds up to whole seconds, since the header can't say anything else. */
export const wholeSeconds = (wait: Duration.Input | undefined): number =>
  Math.ceil(Duration.toSeconds(ConsistencyToken.boundedWait(wait)))

/** Says how many seconds longer the server may take, because it waits for the view. */
export const waitOf = ({ token, wait }: QueryOptions): number =>
  token === undefined || wait === undefined ? 0 : wholeSeconds(wait)

/** A token that no header can hold is refused here, since it can't have come from a server. */
export const ofQuery = (options: QueryOptions): Effect.Effect<QueryHeaders, ConsistencyToken.InvalidToken> => {
  const { token, wait } = options
  if (token === undefined) return Effect.succeed({})
  if (!/^[\x20-\x7e]*$/.test(token)) return Effect.fail(new ConsistencyToken.InvalidToken({ token }))
  const prefer = wait === undefined ? {} : { prefer: HeaderValue.preferWait(wholeSeconds(wait)) }
  return Effect.succeed({ "consistency-token": token, ...prefer })
}
