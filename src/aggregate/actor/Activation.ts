/** Loads the state of an actor for the first time: with a permit, and within the deadline of a command. */
import { Effect, Semaphore, type Tracer } from "effect"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { Overloaded } from "../../eventstore/EventStoreErrors.ts"
import * as MonotonicClock from "../../supervision/MonotonicClock.ts"
import * as Span from "../../telemetry/Span.ts"
import { AggregateSuspended, type SendError } from "../CommandErrors.ts"
import { UnknownEvent } from "../EventCodec.ts"
import type { ActorState } from "./ActorState.ts"

/** An event that only a newer program knows is no defect of this one: it answers that it can't serve the stream. */
export const orUnknown = <A, E>(read: Effect.Effect<A, E>): Effect.Effect<A, E | AggregateSuspended> =>
  Effect.catchDefect(read, (defect) =>
    defect instanceof UnknownEvent
      ? Effect.fail(new AggregateSuspended({ retryAfter: 30, unknownEvent: defect.type }))
      : Effect.die(defect)
  )

/** `span` is the one of the command that waits for the activation. */
export const activate = <State, Command, Event, Rejection>(
  memory: ActorState<State, Command, Event, Rejection>,
  span: Tracer.AnySpan | undefined
): Effect.Effect<void, SendError> => {
  const { activations, clock, limits, metrics } = memory.context
  if (memory.phase._tag === "Fresh") return Effect.sync(() => metrics.activated("new"))
  const start = MonotonicClock.millisUnsafe(clock)
  let loadingSince = Infinity
  const load = Effect.suspend(() => {
    loadingSince = MonotonicClock.millisUnsafe(clock)
    return orUnknown(memory.load())
  })
  const inTime = Semaphore.withPermit(activations, load).pipe(
    Effect.timeoutOrElse({
      duration: limits.commandDeadline,
      // The permit may have come a moment ago; the database is blamed only if most of the time was its own.
      orElse: () =>
        Effect.suspend((): Effect.Effect<never, SendError> => {
          const isDatabaseSlow = MonotonicClock.millisUnsafe(clock) - loadingSince > loadingSince - start
          if (isDatabaseSlow) return Effect.fail(new DatabaseUnavailable({ retryAfter: 1 }))
          return Effect.fail(new Overloaded({ what: "the loading of ids into memory", retryAfter: 1 }))
        })
    })
  )
  const { streamId } = memory
  return Span.within("AggregateActor.activate", () => ({ ...(span && { parent: span }), attributes: { streamId } }))(
    inTime
  )
}
