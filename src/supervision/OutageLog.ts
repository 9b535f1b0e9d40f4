/**
 * Says in the log once that something fails, and once that it works again and after how long, however often it is tried
 * in between. Everything that goes on by itself after a failure uses this, so an outage has two lines and not hundreds.
 */
import { type Cause, Effect } from "effect"
import * as MonotonicClock from "./MonotonicClock.ts"

export interface OutageLog {
  readonly isFailing: () => boolean
  /**
   * Reports a failure and its reason, which are logged if everything worked before. A `defect` is logged as an error,
   * with its stack, because somebody has to mend a program.
   */
  readonly failed: (reason: string, defect?: Cause.Cause<unknown>) => Effect.Effect<void>
  /** Reports that it works, which is logged if it had failed before. */
  readonly works: Effect.Effect<void>
}

/** At most two outages are said in so many milliseconds; another is said only if it lasts beyond them. */
const quiet = 5_000

/** Says nothing, for work that somebody else reports on. */
export const silent: OutageLog = { isFailing: () => false, failed: () => Effect.void, works: Effect.void }

/** `subject` begins both sentences, as "The log's tail", and `says` goes on. */
export const make = (
  subject: string,
  says = { fails: "fails and is tried again until it works", works: "works again" }
): OutageLog => {
  let since: number | undefined
  let isSaid = false
  /** The last two outages that were said ended at these times. */
  let ends: ReadonlyArray<number> = []
  return {
    isFailing: () => since !== undefined,
    failed: (reason, defect) =>
      Effect.gen(function* () {
        const now = yield* MonotonicClock.millis
        since ??= now
        if (isSaid || (ends.length === 2 && now - ends[0]! < quiet)) {
          return yield* Effect.logDebug(`${subject} still fails: ${reason}`)
        }
        isSaid = true
        const text = `${subject} ${says.fails}: ${reason}`
        yield* defect === undefined ? Effect.logWarning(text) : Effect.logError(text, defect)
      }),
    works: Effect.gen(function* () {
      if (since === undefined) return
      const now = yield* MonotonicClock.millis
      const seconds = Math.max(1, Math.round((now - since) / 1_000))
      const level = isSaid ? "Info" : "Debug"
      if (isSaid) ends = [...ends.slice(-1), now]
      since = undefined
      isSaid = false
      yield* Effect.logWithLevel(level)(`${subject} ${says.works} after ${seconds} s.`)
    })
  }
}
