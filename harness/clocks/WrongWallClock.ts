/**
 * The test's clock with a wall clock that somebody sets: `step` changes the wall time by so many milliseconds. The monotonic
 * clock and sleeps go on as `TestClock` says.
 */
import { Clock, Effect } from "effect"

export const make = Effect.map(Clock.Clock, (right) => {
  let offset = 0
  const currentTimeMillisUnsafe = () => right.currentTimeMillisUnsafe() + offset
  const currentTimeNanosUnsafe = () => right.currentTimeNanosUnsafe() + BigInt(offset) * 1_000_000n
  const wrong: Clock.Clock = {
    ...right,
    currentTimeMillisUnsafe,
    currentTimeMillis: Effect.sync(currentTimeMillisUnsafe),
    currentTimeNanosUnsafe,
    currentTimeNanos: Effect.sync(currentTimeNanosUnsafe)
  }
  return {
    provided: Effect.provideService(Clock.Clock, wrong),
    step: (millis: number) => Effect.sync(() => void (offset += millis))
  }
})
