/**
 * Says in the log once that something fails, and once that it works again and after how long, however often it is tried
 * in between. Everything that goes on by itself after a failure uses this, so an outage has two lines and not hundreds.
 */
import { type Cause, Clock, Duration, Effect } from "effect"

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

/** `subject` begins both sentences, as "The log's tail". */
export const make = (subject: string): OutageLog => {
  let since: bigint | undefined
  return {
    isFailing: () => since !== undefined,
    failed: (reason, defect) =>
      Effect.gen(function* () {
        if (since !== undefined) return yield* Effect.logDebug(`${subject} still fails: ${reason}`)
        since = (yield* Clock.Clock).monotonicTimeNanosUnsafe()
        const text = `${subject} fails and is tried again until it works: ${reason}`
        yield* defect === undefined ? Effect.logWarning(text) : Effect.logError(text, defect)
      }),
    works: Effect.gen(function* () {
      if (since === undefined) return
      const took = Duration.nanos((yield* Clock.Clock).monotonicTimeNanosUnsafe() - since)
      since = undefined
      yield* Effect.logInfo(`${subject} works again after ${Math.max(1, Math.round(Duration.toSeconds(took)))} s.`)
    })
  }
}
