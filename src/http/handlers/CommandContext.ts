/** What a command takes along from its request: the key, the precondition, the ids that link it, who sent it. */
import { Effect } from "effect"
import type { Precondition } from "../../aggregate/actor/Envelope.ts"
import { InvalidIdempotencyKey } from "../../aggregate/CommandErrors.ts"
import type { CommandOptions } from "../../aggregate/idempotency/Submission.ts"
import * as EntityTag from "../wire/EntityTag.ts"
import { InvalidRequest } from "../problems/HttpError.ts"
import * as IdempotencyKey from "../wire/IdempotencyKey.ts"
import { RequestId } from "../wire/RequestId.ts"

export interface CommandHeaders {
  readonly "idempotency-key"?: string
  readonly "if-match"?: string
  readonly "if-none-match"?: "*"
  readonly traceparent?: string
}

/** W3C trace context, version 00; ids of zeros are invalid. */
const traceparent = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

/** Until there is authentication every caller is the operator. */
const actor = "operator"

const idempotencyKey = (header: string | undefined) => {
  if (header === undefined) return Effect.succeed({})
  const key = IdempotencyKey.parse(header)
  return key === undefined ? Effect.fail(new InvalidIdempotencyKey()) : Effect.succeed({ idempotencyKey: key })
}

export const commandOptions = (
  headers: CommandHeaders
): Effect.Effect<CommandOptions, InvalidRequest | InvalidIdempotencyKey> =>
  Effect.gen(function* () {
    if (headers["if-match"] !== undefined && headers["if-none-match"] !== undefined) {
      return yield* InvalidRequest.of("header.if-match", "can't be sent together with If-None-Match")
    }
    const { uuid } = yield* RequestId
    const precondition: Precondition = EntityTag.precondition(headers)
    return {
      ...(yield* idempotencyKey(headers["idempotency-key"])),
      correlationId: uuid,
      actor,
      ...(precondition === undefined ? {} : { precondition }),
      ...(headers.traceparent !== undefined && traceparent.test(headers.traceparent)
        ? { traceparent: headers.traceparent }
        : {})
    }
  })
