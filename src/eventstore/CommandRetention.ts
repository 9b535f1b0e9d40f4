/** Forgets keyed commands after their time, in small batches with pauses, so that appends are not held up. */
import { Context, Duration, Effect, Layer, Schedule } from "effect"
import { supervise } from "../supervision/Supervisor.ts"
import { EventStore } from "./EventStore.ts"

/**
 * The outcome of a keyed command is kept for this long; 48 hours by default. A process for which this is infinite forgets
 * none, and leaves that to others on the same log.
 */
export const CommandRetention = Context.Reference<Duration.Duration>("ordinal/eventstore/CommandRetention", {
  defaultValue: () => Duration.hours(48)
})

const batchSize = 500
const pause = Duration.millis(100)
const interval = Duration.minutes(10)

export const layer: Layer.Layer<never, never, EventStore> = Layer.effectDiscard(
  Effect.gen(function* () {
    const store = yield* EventStore
    const retention = yield* CommandRetention
    if (!Duration.isFinite(retention)) return
    yield* Effect.delay(store.forgetCommands(retention, batchSize), pause).pipe(
      Effect.repeat({ while: (forgotten) => forgotten === batchSize }),
      Effect.repeat(Schedule.spaced(interval)),
      (forgetForEver) => supervise("command-retention", forgetForEver)
    )
  })
)
