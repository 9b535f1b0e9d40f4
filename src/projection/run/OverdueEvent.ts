/**
 * Which event's transaction, or a statement of it, did not end in time although it was alone in it, and how often. An
 * attempt ends with each time, so this outlives attempts.
 *
 * Only what the handler does is held against the event: the checkpoint's own statement got through in good time, and the
 * handler was still at work at the end. A database that is slow for everything, or that can't commit, is waited for.
 */
import { type Cause, Clock, Duration, Effect } from "effect"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import * as ProjectionFailure from "./ProjectionFailure.ts"
import { ProjectionLimits } from "../ProjectionLimits.ts"

const enough = 3
/** Of the time that a transaction has: what is left for the handler is most of it. */
const goodTime = 0.05

type Positioned = Pick<RecordedEvent, "position">

/** Marks what the handler does. */
type Handling = <A, E, R>(handler: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

export interface OverdueEvent {
  /** Runs a transaction on these events, and counts it if it is overdue. One that commits is the end of the count. */
  readonly watch: <A, E, R>(
    events: ReadonlyArray<Positioned>,
    transaction: (handling: Handling) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
  /** How many were overdue often enough since the handler last got through with one. */
  readonly streak: () => number
  /** Why it fails by itself, in a sentence, if these events are that one and it was overdue often enough. */
  readonly problemOf: (events: ReadonlyArray<Positioned>) => string | undefined
}

export const make = (): OverdueEvent => {
  let [position, times, streak, reason] = [0n, 0, 0, ""]

  const count = ({ position: at }: Positioned, cause: Cause.Cause<unknown>, limit: Duration.Duration) => {
    times = at === position ? times + 1 : 1
    position = at
    if (times === enough) streak++
    reason = ProjectionFailure.isOverdue(cause)
      ? `it takes longer than the ${Duration.toSeconds(limit)} s that a transaction has`
      : ProjectionFailure.reasonOf(cause)
  }

  return {
    watch: Effect.fnUntraced(function* (events, transaction) {
      const { transaction: limit } = yield* ProjectionLimits
      const start = yield* Clock.currentTimeMillis
      let [isAtFault, isHandled] = [false, false]
      const handling: Handling = (handler) =>
        Effect.gen(function* () {
          isAtFault = (yield* Clock.currentTimeMillis) - start <= goodTime * Duration.toMillis(limit)
          const handled = yield* handler
          isAtFault = false
          isHandled = true
          return handled
        })
      const judge = (cause: Cause.Cause<unknown>) =>
        Effect.sync(() => {
          const [event, ...others] = events
          const isAlone = event !== undefined && others.length === 0
          if (isAlone && isAtFault && ProjectionFailure.kind(cause) === "slow") count(event, cause, limit)
          // It stops for that. Whoever lets it go on has put something right, so all are tried anew.
          if (ProjectionFailure.kind(cause) === "refused") times = streak = 0
        })
      const done = yield* Effect.tapCause(transaction(handling), judge)
      times = 0
      if (isHandled) streak = 0
      return done
    }),
    streak: () => streak,
    problemOf: ([event, ...others]) =>
      event?.position === position && others.length === 0 && times >= enough
        ? `${reason}, also alone, ${times} times in a row`
        : undefined
  }
}
