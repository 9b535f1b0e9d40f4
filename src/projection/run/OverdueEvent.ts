/**
 * Counts how often an event did not get through in time although it was alone in its transaction. An attempt ends each
 * time that happens, so this outlives attempts; `ProjectionBatch` asks it.
 *
 * Only what the handler does is held against the event: the checkpoint's own statement got through in good time, and
 * the handler was still at work at the end. A database that is slow for everything, or that can't commit, is waited
 * for.
 */
import { type Cause, Clock, Duration, Effect } from "effect"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import { ProjectionLimits } from "../ProjectionLimits.ts"
import * as ProjectionFailure from "./ProjectionFailure.ts"

const timesToPark = 3
/**
 * The share of a transaction's time after which the handler must have begun, so that most of the time is left for it.
 */
const goodTime = 0.05

type Positioned = Pick<RecordedEvent, "position">

/** Marks the part of a transaction that the handler does. */
type Handling = <A, E, R>(handler: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

export interface OverdueEvent {
  /** Runs a transaction on these events, and counts it if it is overdue. A transaction that commits ends the count. */
  readonly watch: <A, E, R>(
    events: ReadonlyArray<Positioned>,
    transaction: (handling: Handling) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
  /** Tells how many events were overdue often enough since the handler last got through with one. */
  readonly streak: () => number
  /** Says why these events fail by themselves, if they are one event that was overdue often enough. */
  readonly problemOf: (events: ReadonlyArray<Positioned>) => string | undefined
}

export const make = (): OverdueEvent => {
  let [position, times, streak, reason] = [0n, 0, 0, ""]

  const count = (event: Positioned, cause: Cause.Cause<unknown>, limit: Duration.Duration) => {
    times = event.position === position ? times + 1 : 1
    position = event.position
    if (times === timesToPark) streak++
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
      const onFailure = (cause: Cause.Cause<unknown>) =>
        Effect.sync(() => {
          const [event, ...others] = events
          const isAlone = event !== undefined && others.length === 0
          const kind = ProjectionFailure.kind(cause)
          if (isAlone && isAtFault && kind === "slow") count(event, cause, limit)
          // The projection stops for that. Whoever lets it go on has put something right, so all are tried anew.
          if (kind === "stopped") times = streak = 0
        })
      const done = yield* Effect.tapCause(transaction(handling), onFailure)
      times = 0
      if (isHandled) streak = 0
      return done
    }),
    streak: () => streak,
    problemOf: ([event, ...others]) =>
      event?.position === position && others.length === 0 && times >= timesToPark
        ? `${reason}, also alone, ${times} times in a row`
        : undefined
  }
}
