/**
 * When the swap is tried again after the table could not be had. A lock that is waited for keeps all readers waiting
 * behind it, so while somebody reads the table for long, tries are few: 2 s later, then 4, 8, … at most 30.
 */
import { Clock, Effect } from "effect"

const poll = "250 millis"

export const make = () => {
  let [seconds, dueAt] = [0, 0]
  return {
    /** Not before long; whether it is the first time. */
    later: Effect.map(Clock.currentTimeMillis, (now) => {
      const isFirst = seconds === 0
      seconds = isFirst ? 2 : Math.min(30, 2 * seconds)
      dueAt = now + 1_000 * seconds
      return isFirst
    }),
    /** Whether it may be tried now. */
    begins: Effect.map(Clock.currentTimeMillis, (now) => {
      if (now < dueAt) return false
      dueAt = 0
      return true
    }),
    /** Whether it was put off and has not begun since. */
    isPutOff: () => dueAt > 0,
    /** Waits until one that was put off is due, and not begun by then. */
    dueAgain: Effect.flatMap(Clock.currentTimeMillis, (started) =>
      Effect.delay(Clock.currentTimeMillis, poll).pipe(
        Effect.repeat({ until: (now) => started < dueAt && dueAt <= now })
      )
    )
  }
}
