/**
 * Positions outside of this process: consistency tokens, ids of event streams, and where a subscription goes on.
 *
 * A token is `<position>.<check>`, opaque but for the number. The check is made of the ids of the log and of the event
 * at the position, so a token of another log, or of history that was lost by restoring an older copy, is refused, even
 * if the log has grown past the position since. Tokens of older programs, `<position>.<log id>`, lack that protection.
 */
import { Duration, Effect, Result, Schema } from "effect"
import type { EventStore } from "../../eventstore/EventStore.ts"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"

export interface ConsistencyToken {
  readonly position: bigint
  /** A check has twelve hex digits; older programs put the id of the log there. */
  readonly check: string
}

/** The token is malformed, or, with `position`, this log does not know that position. The caller should drop it. */
export class InvalidToken extends Schema.TaggedError<InvalidToken>()(
  "InvalidToken",
  { token: Schema.String, position: Schema.optionalKey(Schema.BigInt) },
  { httpApiStatus: 400 }
) {
  override get message() {
    const remedy = "Leave the token out, or send the token of a later answer."
    return this.position === undefined
      ? `This is no consistency token of this service. ${remedy}`
      : `This log does not know position ${this.position} of this consistency token: history was lost by restoring an older copy, or the token is of another log. ${remedy}`
  }
}

/**
 * The view has not reached the required position in the time given. The data is sound: the caller should try again
 * after `retryAfter` seconds. With `parked`, the view holds back this stream, so an operator has to retry or skip it
 * first.
 */
export class ProjectionBehind extends Schema.TaggedError<ProjectionBehind>()(
  "ProjectionBehind",
  {
    required: Schema.BigInt,
    current: Schema.BigInt,
    parked: Schema.optionalKey(Schema.Boolean),
    retryAfter: Schema.Finite
  },
  { httpApiStatus: 503 }
) {
  /** The stream is parked; `parkedAt` is the position of its first event that the view lacks. */
  static parked(required: bigint, parkedAt: bigint) {
    return new ProjectionBehind({ required, current: parkedAt - 1n, parked: true, retryAfter: 30 })
  }

  override get message() {
    return `The view is at position ${this.current} and not yet at ${this.required}; try again in ${this.retryAfter} s.`
  }
}

const zeros = "000000000000"

/** Combines the last 48 bits of both ids, which are random. Before the first event there is only the log's id. */
const checkOf = (logId: string, eventId = zeros): string => {
  const [log, event] = [logId.slice(-12), eventId.slice(-12)]
  const halves = [0, 6].map((at) => parseInt(log.slice(at, at + 6), 16) ^ parseInt(event.slice(at, at + 6), 16))
  return halves.map((half) => half.toString(16).padStart(6, "0")).join("")
}

/** Makes the token of a position; `eventId` is the id of the event there, undefined only at position 0. */
export const format = (logId: string, position: bigint, eventId: string | undefined): string =>
  `${position}.${checkOf(logId, eventId)}`

export const parse = (text: string): Result.Result<ConsistencyToken, InvalidToken> => {
  const match = /^(0|[1-9][0-9]{0,17})\.([0-9a-f]{12}|[0-9a-f-]{36})$/.exec(text)
  return match === null
    ? Result.fail(new InvalidToken({ token: text }))
    : Result.succeed({ position: BigInt(match[1]!), check: match[2]! })
}

/** Tells whether this log issued the token; `eventId` is the id of the event that is at the token's position now. */
export const isOf = ({ check, position }: ConsistencyToken, logId: string, eventId: string | undefined): boolean =>
  (position === 0n || eventId !== undefined) && (check === logId || check === checkOf(logId, eventId))

export const refused = (token: ConsistencyToken): InvalidToken =>
  new InvalidToken({ token: `${token.position}.${token.check}`, position: token.position })

/** Reads the id of the event at a position; undefined if there is none. */
export const eventIdAt = (
  log: EventStore["Service"],
  position: bigint
): Effect.Effect<string | undefined, DatabaseUnavailable> =>
  position === 0n
    ? Effect.undefined
    : Effect.map(log.readAll({ after: position - 1n, limit: 1 }), ([event]) =>
        event?.position === position ? event.eventId : undefined
      )

/** Fails unless the log, whose id is `logId`, has issued the token. */
export const verify = Effect.fnUntraced(function* (
  log: EventStore["Service"],
  logId: string,
  token: ConsistencyToken
): Effect.fn.Return<void, InvalidToken | DatabaseUnavailable> {
  if (!isOf(token, logId, yield* eventIdAt(log, token.position))) return yield* refused(token)
})

export const longestWait = Duration.seconds(30)

/** Limits the time that a read waits for its view: 2 s unless the caller says otherwise, at most `longestWait`. */
export const boundedWait = (wait: Duration.Input = "2 seconds"): Duration.Duration =>
  Duration.min(Duration.fromInputUnsafe(wait), longestWait)
