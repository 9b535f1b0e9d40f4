/** Forgets keyed commands after their time, in small batches with pauses, so that appends do not notice. */
import { Context, Duration, Effect, Layer, Schedule } from "effect"
import { EventStore } from "./EventStore.ts"

/** How long the answer to a keyed command is kept. */
export const CommandRetention = Context.Reference<Duration.Duration>("ordinal/eventstore/CommandRetention", {
  defaultValue: () => Duration.hours(48)
})

const batch = 500
const pause = Duration.millis(100)
const every = Duration.minutes(10)

export const layer: Layer.Layer<never, never, EventStore> = Layer.effectDiscard(
  Effect.gen(function* () {
    const log = yield* EventStore
    const retention = yield* CommandRetention
    const forget = Effect.delay(log.forgetCommands(retention, batch), pause)
    yield* forget.pipe(
      Effect.repeat({ while: (forgotten) => forgotten === batch }),
      Effect.catchCause((cause) =>
        Effect.logWarning("old keyed commands could not be forgotten; trying again later", cause)
      ),
      Effect.repeat(Schedule.spaced(every)),
      Effect.forkScoped
    )
  })
)
