/** What goes along with a client's call: the options of the order service as headers. */
import { Duration, Effect, Result } from "effect"
import { InvalidIdempotencyKey, isIdempotencyKey } from "../../aggregate/CommandErrors.ts"
import type { Precondition } from "../../aggregate/actor/Envelope.ts"
import type { QueryOptions } from "../../orders/QueryOptions.ts"
import type { CommandOptions } from "../../aggregate/idempotency/Submission.ts"
import * as ConsistencyToken from "../../projection/consistency/ConsistencyToken.ts"
import type { CommandHeaders } from "../handlers/CommandContext.ts"
import * as EntityTag from "../wire/EntityTag.ts"
import * as IdempotencyKey from "../wire/IdempotencyKey.ts"
import * as Preference from "../wire/Preference.ts"
import { isUuid } from "../wire/RequestId.ts"

const precondition = (expected: Precondition): CommandHeaders => {
  if (expected === undefined) return {}
  if (expected === "absent") return { "if-none-match": "*" }
  return { "if-match": expected === "exists" ? "*" : EntityTag.format(expected) }
}

/**
 * `actor`, `causationId` and `fresh` stay behind: who calls is for the server to find out. `correlationId` is the
 * request's id, if it is a UUID.
 */
export const ofCommand = (
  options: CommandOptions = {}
): Effect.Effect<CommandHeaders & { readonly "x-request-id"?: string }, InvalidIdempotencyKey> => {
  const { correlationId, idempotencyKey, traceparent } = options
  if (idempotencyKey !== undefined && !isIdempotencyKey(idempotencyKey)) return Effect.fail(new InvalidIdempotencyKey())
  return Effect.succeed({
    ...precondition(options.precondition),
    ...(idempotencyKey === undefined ? {} : { "idempotency-key": IdempotencyKey.format(idempotencyKey) }),
    ...(correlationId !== undefined && isUuid(correlationId) ? { "x-request-id": correlationId } : {}),
    ...(traceparent === undefined ? {} : { traceparent })
  })
}

/** In whole seconds, rounded up: a header knows no other. */
export const seconds = (wait: Duration.Input | undefined): number =>
  Math.ceil(Duration.toSeconds(ConsistencyToken.boundedWait(wait)))

export const prefer = (seconds: number) => ({ prefer: Preference.applied(seconds) })

export const waitOf = ({ token, wait }: QueryOptions): number =>
  token === undefined || wait === undefined ? 0 : seconds(wait)

/** Of a token that no header could hold it is known here that it is none. */
export const ofQuery = (options: QueryOptions) => {
  const { token, wait } = options
  if (token === undefined) return Result.succeed({})
  if (!/^[\x20-\x7e]*$/.test(token)) return Result.fail(new ConsistencyToken.InvalidToken({ token }))
  return Result.succeed({ "consistency-token": token, ...(wait === undefined ? {} : prefer(seconds(wait))) })
}
