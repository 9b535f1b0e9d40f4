/**
 * Applies a batch of events in one transaction, by `ProjectionWork`. A batch that fails by itself is tried again in parts,
 * each in a savepoint, halved until one event is left. Such a suspect's stream is left out for the rest of the pass, which is
 * rolled back; once each suspect has failed alone three times, their streams are parked in the transaction that moves the
 * checkpoint past them. A batch that runs out of time ends the attempt instead: the next has half as many events, and only
 * an event that runs out of time alone (`OverdueEvent`) is a suspect. Too many suspects mean that the handler is at fault.
 */
import { Array as Arr, Duration, Effect, Exit, Random } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import * as Checkpoint from "../Checkpoint.ts"
import * as ParkedRows from "../parking/ParkedRows.ts"
import { type Batch, type CheckpointKey, handles, type Projection } from "../Projection.ts"
import type { BatchSize } from "./BatchSize.ts"
import { bounded } from "./BoundedTransaction.ts"
import type { OverdueEvent } from "./OverdueEvent.ts"
import * as ProjectionFailure from "./ProjectionFailure.ts"

/** Some suspects have not yet failed often enough, so the pass is rolled back and repeated. */
class Unproven {
  readonly _tag = "Unproven"
}

const failuresToPark = 3
const maxParkedPerBatch = 9

/** Events that failed alone, by stream. */
type Suspects = Map<string, ParkedRows.Culprit>

export interface BatchWork {
  readonly projection: Projection
  readonly key: CheckpointKey
  /** The owner of the lease. */
  readonly owner: string
  /** It outlives the attempt, so that what was too slow is not tried again as it was. */
  readonly size: BatchSize
  /** It outlives the attempt as well. */
  readonly overdue: OverdueEvent
  /** Runs when a batch fails by itself. */
  readonly onTrouble: Effect.Effect<void>
}

/**
 * Gives a function that applies events from a checkpoint and gives the new one; if it fails, it has applied nothing.
 */
export const make = (sql: SqlClient.SqlClient, work: BatchWork) => {
  const { key, onTrouble, overdue, owner, projection, size } = work
  const stopped = (problem: string) => new Checkpoint.ProjectionStopped({ projection: projection.name, problem })

  const handle = (events: ReadonlyArray<RecordedEvent>) =>
    Arr.isReadonlyArrayNonEmpty(events) ? Effect.suspend(() => projection.handle(sql, events, key.slot)) : Effect.void

  /** Moves the checkpoint past the events, and gives those to be handled. */
  const begin = Effect.fnUntraced(function* (from: Checkpoint.Checkpoint, events: Batch) {
    const to = events[events.length - 1]!.position
    const { head, parked } = yield* Checkpoint.advance(sql, key, owner, from, to)
    const handled = events.filter((event) => handles(projection, event))
    const reached: Checkpoint.Checkpoint = { ...from, position: to, head }
    if (parked === 0 || handled.length === 0) return { reached, handled }
    const isParked = yield* ParkedRows.among(sql, key, [...new Set(handled.map((event) => event.streamId))])
    return { reached, handled: handled.filter((event) => !isParked.has(event.streamId)) }
  })

  const applyWhole = (from: Checkpoint.Checkpoint, events: Batch) =>
    overdue.watch(events, (handling) =>
      Effect.gen(function* () {
        const { handled, reached } = yield* begin(from, events)
        if (handled.length > 0) yield* handling(handle(handled))
        return reached
      }).pipe(sql.withTransaction, bounded)
    )

  /** Suspects an event, unless it was skipped in the live view, which a rebuild then skips again. */
  const suspect = Effect.fnUntraced(function* (suspects: Suspects, culprit: ParkedRows.Culprit) {
    const { event } = culprit
    if (key.slot === "live" || !(yield* ParkedRows.isSkipped(sql, key.name, event))) {
      suspects.set(event.streamId, culprit)
      return
    }
    if (projection.skip !== undefined) yield* projection.skip(sql, event, key.slot)
    yield* ParkedRows.recordSkip(sql, key, culprit)
  })

  /** Applies all events that can be applied; those that fail alone become suspects. */
  const applyParts = (
    events: ReadonlyArray<RecordedEvent>,
    suspects: Suspects
  ): Effect.Effect<void, ProjectionFailure.Failure> =>
    Effect.gen(function* () {
      const left = events.filter((event) => !suspects.has(event.streamId))
      if (left.length === 0 || suspects.size > maxParkedPerBatch) return
      const exit = yield* Effect.exit(sql.withTransaction(handle(left)))
      if (Exit.isSuccess(exit)) return
      if (ProjectionFailure.kind(exit.cause) !== "defect") return yield* exit
      if (left.length === 1) {
        return yield* suspect(suspects, { event: left[0]!, reason: ProjectionFailure.reasonOf(exit.cause) })
      }
      const middle = Math.ceil(left.length / 2)
      yield* applyParts(left.slice(0, middle), suspects)
      yield* applyParts(left.slice(middle), suspects)
    })

  /** Parks the suspects' streams, unless the handler is at fault or a stream can't be parked alone. */
  const park = (suspects: Suspects): Effect.Effect<void, Checkpoint.ProjectionStopped | SqlError.SqlError> => {
    const [first] = suspects.values()
    if (first === undefined) return Effect.void
    const { event, reason } = first
    if (suspects.size > maxParkedPerBatch) {
      return stopped(`${suspects.size} streams fail in one batch, so the handler is at fault; one of them: ${reason}`)
    }
    if (overdue.streak() > maxParkedPerBatch) {
      return stopped(
        `${overdue.streak()} events in a row fail so, the handler is at fault; the last of them: ${reason}`
      )
    }
    if (projection.partition === "none") {
      return stopped(`${event.type} at position ${event.position} fails and can't be set aside: ${reason}`)
    }
    return Effect.forEach(suspects.values(), (culprit) => ParkedRows.park(sql, key, culprit), { discard: true })
  }

  const applyInParts = Effect.fnUntraced(function* (from: Checkpoint.Checkpoint, events: Batch) {
    const failures = new Map<bigint, number>()
    const problem = overdue.problemOf(events)

    const findSuspects = Effect.fnUntraced(function* (handled: ReadonlyArray<RecordedEvent>, suspects: Suspects) {
      yield* applyParts(handled, suspects)
      const times = [...suspects.values()].map(({ event: { position } }) => {
        const count = (failures.get(position) ?? 0) + 1
        failures.set(position, count)
        return count
      })
      if (times.some((count) => count < failuresToPark)) return yield* Effect.fail(new Unproven())
    })

    const pass = overdue.watch(events, (handling) =>
      Effect.gen(function* () {
        const { handled, reached } = yield* begin(from, events)
        const suspects: Suspects = new Map()
        if (problem === undefined) yield* handling(findSuspects(handled, suspects))
        else for (const event of handled) yield* suspect(suspects, { event, reason: problem })
        yield* park(suspects)
        return { reached, suspects }
      }).pipe(sql.withTransaction, bounded)
    )
    const { reached, suspects } = yield* pass.pipe(
      Effect.tapErrorTag("Unproven", () => Effect.flatMap(Random.nextIntBetween(20, 100), Effect.sleep)),
      Effect.retry({ while: (error) => error._tag === "Unproven" })
    )
    for (const { event, reason } of suspects.values()) {
      const { position, streamId, type, version } = event
      yield* Effect.logError(
        `${streamId} is parked at its version ${version} (${type}, position ${position}): ${reason}`
      )
    }
    return reached
  })

  const apply = (from: Checkpoint.Checkpoint, events: Batch) =>
    Effect.suspend(() =>
      overdue.problemOf(events) === undefined ? applyWhole(from, events) : applyInParts(from, events)
    ).pipe(
      Effect.catchCause((cause) =>
        ProjectionFailure.kind(cause) === "defect"
          ? Effect.logWarning("A batch failed; it is tried again in parts.", cause).pipe(
              Effect.andThen(onTrouble),
              Effect.andThen(applyInParts(from, events))
            )
          : Effect.failCause(cause)
      )
    )

  return (from: Checkpoint.Checkpoint, events: Batch) =>
    Effect.timed(apply(from, events)).pipe(
      Effect.map(([took, reached]) => {
        size.applied(events.length, Duration.toMillis(took))
        return reached
      }),
      Effect.tapCause((cause) =>
        Effect.sync(() => {
          if (ProjectionFailure.kind(cause) === "slow") size.tooSlow(events.length)
        })
      )
    )
}
