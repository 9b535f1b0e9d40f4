/** How long reads wait for the view. */
import { Clock, Effect, Option } from "effect"
import * as Metrics from "../telemetry/Metrics.ts"

/** Measures waits that end with nothing if the view did not get there in time. */
export const measured = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const waited = yield* Metrics.consistencyWait
  return <A, E, R>(wait: Effect.Effect<Option.Option<A>, E, R>): Effect.Effect<Option.Option<A>, E, R> =>
    Effect.suspend(() => {
      const start = clock.monotonicTimeNanosUnsafe()
      return Effect.map(wait, (reached) => {
        const seconds = Number(clock.monotonicTimeNanosUnsafe() - start) / 1e9
        waited(seconds, Option.isSome(reached) ? "reached" : "behind")
        return reached
      })
    })
})
