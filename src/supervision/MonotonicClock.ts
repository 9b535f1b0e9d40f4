/**
 * Gives milliseconds of the monotonic clock, whose zero is arbitrary. Deadlines, pauses and idle times are of this
 * clock: the wall clock may be set forward or back at any moment.
 */
import { Clock, Effect } from "effect"

export const millisUnsafe = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)

export const millis: Effect.Effect<number> = Effect.map(Clock.Clock, millisUnsafe)
