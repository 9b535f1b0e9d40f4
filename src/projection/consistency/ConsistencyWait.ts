/** How long reads wait for the view. */
import { Clock, Effect, Exit, Option } from "effect"
import * as Metrics from "../../telemetry/Metrics.ts"

const outcomeOf = (exit: Exit.Exit<Option.Option<unknown>, unknown>) => {
  if (Exit.isFailure(exit)) return "abandoned"
  return Option.isSome(exit.value) ? "reached" : "behind"
}

/** Measures waits that end with nothing if the view did not get there in time. */
export const measured = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const waited = yield* Metrics.consistencyWait
  return <A, E, R>(wait: Effect.Effect<Option.Option<A>, E, R>): Effect.Effect<Option.Option<A>, E, R> =>
    Effect.suspend(() => {
      const start = clock.monotonicTimeNanosUnsafe()
      return Effect.onExit(wait, (exit) =>
        Effect.sync(() => {
          const seconds = Number(clock.monotonicTimeNanosUnsafe() - start) / 1e9
          waited(seconds, outcomeOf(exit))
        })
      )
    })
})
