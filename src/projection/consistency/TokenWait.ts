/**
 * Waits until a view has applied the log up to a token's position, so that a read contains what its caller has written.
 * `ConsistencyToken` says what a token is; the statement that then reads the view verifies it once more.
 */
import { Clock, Duration, Effect, Exit, Option } from "effect"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import type { EventStore } from "../../eventstore/EventStore.ts"
import * as Metrics from "../../telemetry/Metrics.ts"
import {
  boundedWait,
  type ConsistencyToken,
  type InvalidToken,
  parse,
  ProjectionBehind,
  verify
} from "./ConsistencyToken.ts"

/** A view that can be waited for. `position` is answered from memory and may lag behind the committed checkpoint. */
export interface AwaitableView {
  readonly position: Effect.Effect<bigint>
  awaitPosition(position: bigint): Effect.Effect<bigint>
}

const outcomeOf = (exit: Exit.Exit<Option.Option<unknown>, unknown>) => {
  if (Exit.isFailure(exit)) return "abandoned"
  return Option.isSome(exit.value) ? "reached" : "behind"
}

/**
 * Waits, for at most `boundedWait(wait)`, until the view has applied the log up to the token's position. Fails with
 * `ProjectionBehind` when the time is over. A token that must be waited for is verified first; of any other the caller
 * must see to it that the statement which serves it verifies it.
 */
export const awaitIn = (log: EventStore["Service"], logId: string, view: AwaitableView) =>
  Effect.fnUntraced(function* (
    text: string,
    wait?: Duration.Input
  ): Effect.fn.Return<ConsistencyToken, InvalidToken | ProjectionBehind | DatabaseUnavailable> {
    const token = yield* Effect.fromResult(parse(text))
    const required = token.position
    if ((yield* view.position) >= required) return token
    yield* verify(log, logId, token)
    const clock = yield* Clock.Clock
    const record = yield* Metrics.consistencyWait
    const start = clock.monotonicTimeNanosUnsafe()
    const reached = yield* view.awaitPosition(required).pipe(
      Effect.timeoutOption(boundedWait(wait)),
      Effect.onExit((exit) =>
        Effect.sync(() => record(Number(clock.monotonicTimeNanosUnsafe() - start) / 1e9, outcomeOf(exit)))
      )
    )
    if (Option.isSome(reached)) return token
    return yield* new ProjectionBehind({ required, current: yield* view.position, retryAfter: 1 })
  })
