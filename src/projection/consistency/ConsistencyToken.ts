/**
 * Consistency tokens: every answer carries one, and a read that is given one waits until its view is at least that
 * fresh.
 *
 * A token is `<position>.<log id>`; callers treat it as opaque. A token of another log, or of a position that this log
 * has not reached, is refused rather than waited for. The reads of orders and products and `Projections.awaitToken` use
 * this.
 */
import { Clock, Duration, Effect, Exit, Option, Result, Schema } from "effect"
import type { EventStore } from "../../eventstore/EventStore.ts"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import * as Metrics from "../../telemetry/Metrics.ts"

export interface ConsistencyToken {
  readonly position: bigint
  readonly logId: string
}

/** The token is malformed, of another log, or above this log's head. The caller should drop it. */
export class InvalidToken extends Schema.TaggedError<InvalidToken>()(
  "InvalidToken",
  { token: Schema.String },
  { httpApiStatus: 400 }
) {
  override get message() {
    return "This log did not issue this consistency token; leave it out, or send the token of a later answer."
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

export const format = (token: ConsistencyToken): string => `${token.position}.${token.logId}`

export const parse = (text: string): Result.Result<ConsistencyToken, InvalidToken> => {
  const match = /^(0|[1-9][0-9]{0,18})\.([0-9a-f-]{36})$/.exec(text)
  return match === null
    ? Result.fail(new InvalidToken({ token: text }))
    : Result.succeed({ position: BigInt(match[1]!), logId: match[2]! })
}

export const longestWait = Duration.seconds(30)

/** Limits the time that a read waits for its view: 2 s unless the caller says otherwise, at most `longestWait`. */
export const boundedWait = (wait: Duration.Input = "2 seconds"): Duration.Duration =>
  Duration.min(Duration.fromInputUnsafe(wait), longestWait)

/** A view that can be waited for. `position` is answered from memory and may lag behind the committed checkpoint. */
export interface AwaitableView {
  readonly position: Effect.Effect<bigint>
  awaitPosition(position: bigint): Effect.Effect<bigint>
}

/**
 * Gives the position of a token once it is certain that `log`, whose id is `logId`, has issued it. A token up to
 * `known`, a position that the log is known to have reached, needs no question to the log.
 */
export const positionIn = (log: EventStore["Service"], logId: string) =>
  Effect.fnUntraced(function* (
    token: string,
    known: bigint
  ): Effect.fn.Return<bigint, InvalidToken | DatabaseUnavailable> {
    const { logId: issuer, position } = yield* Effect.fromResult(parse(token))
    const isOurs = issuer === logId && (position <= known || position <= (yield* log.head).position)
    return isOurs ? position : yield* new InvalidToken({ token })
  })

const outcomeOf = (exit: Exit.Exit<Option.Option<unknown>, unknown>) => {
  if (Exit.isFailure(exit)) return "abandoned"
  return Option.isSome(exit.value) ? "reached" : "behind"
}

/**
 * Waits, for at most `boundedWait(wait)`, until the view has applied the log up to the token's position, and gives that
 * position. Fails with `ProjectionBehind` when the time is over.
 */
export const awaitIn = (log: EventStore["Service"], logId: string, view: AwaitableView) =>
  Effect.fnUntraced(function* (
    token: string,
    wait?: Duration.Input
  ): Effect.fn.Return<bigint, InvalidToken | ProjectionBehind | DatabaseUnavailable> {
    const position = yield* view.position
    const required = yield* positionIn(log, logId)(token, position)
    if (position >= required) return required
    const clock = yield* Clock.Clock
    const record = yield* Metrics.consistencyWait
    const start = clock.monotonicTimeNanosUnsafe()
    const reached = yield* view.awaitPosition(required).pipe(
      Effect.timeoutOption(boundedWait(wait)),
      Effect.onExit((exit) =>
        Effect.sync(() => record(Number(clock.monotonicTimeNanosUnsafe() - start) / 1e9, outcomeOf(exit)))
      )
    )
    if (Option.isSome(reached)) return required
    return yield* new ProjectionBehind({ required, current: yield* view.position, retryAfter: 1 })
  })
