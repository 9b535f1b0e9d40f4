import { Schedule } from "effect"

/** For what must go on for ever while the database is away: 100 ms doubling up to 1 s, with jitter, without end. */
export const backoff = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("1 second")]).pipe(
  Schedule.jittered
)
