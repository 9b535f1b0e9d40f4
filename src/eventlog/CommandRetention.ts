/** Forgets keyed commands after their time, in small batches with pauses, so that appends do not notice. */
import { Duration, Effect, Layer, Schedule } from "effect"
import { EventLog } from "./EventLog.ts"

const batch = 500
const pause = Duration.millis(100)
const every = Duration.minutes(10)

export const layer = (retention: Duration.Duration): Layer.Layer<never, never, EventLog> =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const log = yield* EventLog
      const forget = Effect.delay(log.forgetCommands(retention, batch), pause)
      yield* forget.pipe(
        Effect.repeat({ while: (forgotten) => forgotten === batch }),
        Effect.catch((error) =>
          Effect.logWarning("old idempotency keys could not be forgotten; trying again later", error)
        ),
        Effect.repeat(Schedule.spaced(every)),
        Effect.forkScoped
      )
    })
  )
