/**
 * Remembers, for longer than an attempt lasts, which events of a projection fail alone. `ProjectionBatch` asks it.
 *
 * The one rule for poison: an event that fails alone three times, each time while an event of another stream gets
 * through the same handler, is poison, whatever it fails with, its own time-out included. What fails for everything
 * never is.
 */
import { Cause, Duration, Effect } from "effect"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import type { Culprit } from "../parking/ParkedRows.ts"
import { type Batch, type Consumer, handles } from "../Projection.ts"
import { ProjectionLimits } from "../ProjectionLimits.ts"
import { TransactionOverdue } from "./BoundedTransaction.ts"
import * as ProjectionFailure from "./ProjectionFailure.ts"

const failuresToPark = 3

/** This event failed when it was applied by itself, so it may be the cause, and not its batch. */
export interface Suspect extends Culprit {
  readonly kind: ProjectionFailure.Kind
  readonly cause: Cause.Cause<ProjectionFailure.Failure>
}

export const suspectOf = (event: RecordedEvent, cause: Cause.Cause<ProjectionFailure.Failure>): Suspect => ({
  event,
  cause,
  kind: ProjectionFailure.kind(cause),
  reason: ProjectionFailure.reasonOf(cause)
})

/** Gives the one event of a batch that its consumer handles; undefined if there are several, or none. */
export const aloneIn = (consumer: Consumer, events: Batch): RecordedEvent | undefined => {
  const [event, ...others] = events.filter((event) => handles(consumer, event))
  return others.length === 0 ? event : undefined
}

export interface PoisonEvents {
  /**
   * Runs a transaction in which `alone` is the only event; remembers it if it takes all the time of the transaction.
   */
  readonly watch: <A, E, R>(
    alone: RecordedEvent | undefined,
    transaction: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
  /** Tells whether one of these events took all the time of the last transaction. */
  readonly hasOverdue: (events: ReadonlyArray<RecordedEvent>) => boolean
  /** Gives that event and forgets it, so that the next transaction tries it again. */
  readonly takeOverdue: (events: ReadonlyArray<RecordedEvent>) => Suspect | undefined
  /** Counts a failure of each of these, while others got through; true once all of them are poison. */
  readonly count: (suspects: Iterable<Suspect>) => boolean
  /** Events of these streams were tried in vain, to see whether the handler works at all. */
  readonly triedInVain: Set<string>
  /** Forgets the events up to this position, which is the checkpoint now. */
  readonly passed: (position: bigint) => void
}

export const make = (): PoisonEvents => {
  const failures = new Map<bigint, number>()
  const triedInVain = new Set<string>()
  let overdue: Suspect | undefined

  const overdueAmong = (events: ReadonlyArray<RecordedEvent>) =>
    events.some(({ position }) => position === overdue?.event.position) ? overdue : undefined

  return {
    watch: (alone, transaction) =>
      Effect.tapCause(transaction, (cause) =>
        Effect.gen(function* () {
          if (alone === undefined || !ProjectionFailure.isOverdue(cause)) return
          const { transaction: limit } = yield* ProjectionLimits
          overdue = {
            event: alone,
            kind: "slow",
            cause: Cause.fail(new TransactionOverdue()),
            reason: `it takes longer than the ${Duration.toSeconds(limit)} s that a transaction has`
          }
        })
      ),
    hasOverdue: (events) => overdueAmong(events) !== undefined,
    takeOverdue: (events) => {
      const taken = overdueAmong(events)
      overdue = undefined
      return taken
    },
    count: (suspects) => {
      let areAll = true
      for (const { event } of suspects) {
        const times = (failures.get(event.position) ?? 0) + 1
        failures.set(event.position, times)
        if (times < failuresToPark) areAll = false
      }
      return areAll
    },
    triedInVain,
    passed: (position) => {
      triedInVain.clear()
      for (const known of failures.keys()) if (known <= position) failures.delete(known)
    }
  }
}
