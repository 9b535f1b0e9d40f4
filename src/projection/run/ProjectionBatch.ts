/**
 * Applies a batch of events in one transaction: all of it, or all but the streams of events that fail by themselves.
 *
 * A batch that fails for another reason than a transient one is tried again in parts, each in a savepoint, halved until
 * one event is left. Such an event is a suspect: its stream is left out for the rest of the pass. A pass with suspects
 * is rolled back; when each of them has failed alone three times, their streams are parked in the same transaction that
 * moves the checkpoint past them. Too many suspects mean that the handler is at fault, not the events.
 *
 * A batch that runs out of time ends the attempt, and the next has half as many events (`BatchSize`), since parts of it
 * would not fit into one transaction either. Only an event that runs out of time three times although it is alone, with
 * one statement or with all of them (`OverdueEvent`), is treated as one that fails by itself: the checkpoint's own
 * statement got through each time. Where too many in a row do, the handler is at fault again.
 */
import { Duration, Effect, Exit, Random } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import type { StreamId } from "../../eventstore/StreamId.ts"
import type { BatchSize } from "./BatchSize.ts"
import { bounded } from "./BoundedTransaction.ts"
import * as Checkpoint from "../Checkpoint.ts"
import type { OverdueEvent } from "./OverdueEvent.ts"
import * as ParkedStreams from "../parking/ParkedStreams.ts"
import { type Batch, type CheckpointKey, handles, type Projection } from "../Projection.ts"
import { ProjectionBroken } from "./ProjectionBroken.ts"
import * as ProjectionFailure from "./ProjectionFailure.ts"

/** Suspects that have not yet failed often enough. */
class Suspected {
  readonly _tag = "Suspected"
}

const alone = 3
const mostParked = 9

type Suspects = Map<StreamId, ParkedStreams.Culprit>

const isEmpty = (events: ReadonlyArray<RecordedEvent>): events is readonly [] => events.length === 0

export interface BatchWork {
  readonly projection: Projection
  readonly key: CheckpointKey
  /** Of the lease. */
  readonly owner: string
  /** Outlives the attempt: what was too slow is not tried again as it was. */
  readonly size: BatchSize
  /** Outlives it as well. */
  readonly overdue: OverdueEvent
  /** When a batch fails by itself. */
  readonly onTrouble: Effect.Effect<void>
}

export const make = (sql: SqlClient.SqlClient, work: BatchWork) => {
  const { key, onTrouble, overdue, owner, projection, size } = work
  const handle = Effect.fnUntraced(function* (events: ReadonlyArray<RecordedEvent>) {
    const [first, ...rest] = events
    if (first !== undefined) yield* Effect.suspend(() => projection.handle(sql, [first, ...rest], key.slot))
  })

  /** Moves the checkpoint past the events; those to be handled. */
  const begin = Effect.fnUntraced(function* (from: Checkpoint.Checkpoint, events: Batch) {
    const to = events[events.length - 1]!.position
    const { head, parked } = yield* Checkpoint.advance(sql, key, owner, from, to)
    const handled = events.filter((event) => handles(projection, event))
    const reached: Checkpoint.Checkpoint = { ...from, position: to, head }
    if (parked === 0 || isEmpty(handled)) return { reached, handled }
    const streams = [...new Set(handled.map((event) => event.streamId))]
    const isParked = yield* ParkedStreams.among(sql, key, streams)
    return { reached, handled: handled.filter((event) => !isParked.has(event.streamId)) }
  })

  const plain = (from: Checkpoint.Checkpoint, events: Batch) =>
    overdue.watch(events, (handling) =>
      Effect.gen(function* () {
        const { handled, reached } = yield* begin(from, events)
        if (!isEmpty(handled)) yield* handling(handle(handled))
        return reached
      }).pipe(sql.withTransaction, bounded)
    )

  const skipAgain = Effect.fnUntraced(function* (culprit: ParkedStreams.Culprit) {
    if (key.slot === "live" || !(yield* ParkedStreams.isSkipped(sql, key.name, culprit.event))) return false
    if (projection.skip !== undefined) yield* projection.skip(sql, culprit.event, key.slot)
    yield* ParkedStreams.recordSkip(sql, key, culprit)
    return true
  })

  const suspect = Effect.fnUntraced(function* (suspects: Suspects, culprit: ParkedStreams.Culprit) {
    if (!(yield* skipAgain(culprit))) suspects.set(culprit.event.streamId, culprit)
  })

  /** Applies all that can be applied; who fails alone is added to the suspects. */
  const sift = (
    events: ReadonlyArray<RecordedEvent>,
    suspects: Suspects
  ): Effect.Effect<void, SqlError.SqlError | ProjectionFailure.Failure> =>
    Effect.gen(function* () {
      const left = events.filter((event) => !suspects.has(event.streamId))
      if (isEmpty(left) || suspects.size > mostParked) return
      const exit = yield* Effect.exit(sql.withTransaction(handle(left)))
      if (Exit.isSuccess(exit)) return
      if (ProjectionFailure.kind(exit.cause) !== "defect") return yield* exit
      if (left.length > 1) {
        const middle = Math.ceil(left.length / 2)
        yield* sift(left.slice(0, middle), suspects)
        return yield* sift(left.slice(middle), suspects)
      }
      yield* suspect(suspects, { event: left[0]!, reason: ProjectionFailure.reasonOf(exit.cause) })
    })

  const broken = (problem: string) => new ProjectionBroken({ projection: projection.name, problem })

  const verdict = (suspects: Suspects): Effect.Effect<void, ProjectionBroken | SqlError.SqlError> => {
    const [culprit] = suspects.values()
    if (culprit === undefined) return Effect.void
    const { event, reason } = culprit
    if (suspects.size > mostParked) {
      return broken(`${suspects.size} streams fail in one batch, so the handler is at fault; one of them: ${reason}`)
    }
    if (overdue.streak() > mostParked) {
      return broken(`${overdue.streak()} events in a row fail so, the handler is at fault; the last of them: ${reason}`)
    }
    if (projection.partition === "none") {
      return broken(`${event.type} at position ${event.position} fails and can't be set aside: ${reason}`)
    }
    return Effect.forEach(suspects.values(), (culprit) => ParkedStreams.park(sql, key, culprit), { discard: true })
  }

  const inParts = Effect.fnUntraced(function* (from: Checkpoint.Checkpoint, events: Batch) {
    const failures = new Map<bigint, number>()
    const problem = overdue.problemOf(events)
    const trial = Effect.fnUntraced(function* (handled: ReadonlyArray<RecordedEvent>, suspects: Suspects) {
      yield* sift(handled, suspects)
      for (const { event } of suspects.values()) failures.set(event.position, (failures.get(event.position) ?? 0) + 1)
      const isProven = [...suspects.values()].every(({ event }) => (failures.get(event.position) ?? 0) >= alone)
      if (!isProven) return yield* Effect.fail(new Suspected())
    })
    const pass = overdue.watch(events, (handling) =>
      Effect.gen(function* () {
        const { handled, reached } = yield* begin(from, events)
        const suspects: Suspects = new Map()
        if (problem === undefined) yield* handling(trial(handled, suspects))
        else for (const event of handled) yield* suspect(suspects, { event, reason: problem })
        yield* verdict(suspects)
        return { reached, suspects }
      }).pipe(sql.withTransaction, bounded)
    )
    const attempt = Effect.catchTag(pass, "Suspected", () =>
      Effect.flatMap(Random.nextIntBetween(20, 100), (millis) => Effect.as(Effect.sleep(millis), undefined))
    )
    let passed = yield* attempt
    while (passed === undefined) passed = yield* attempt
    const { reached, suspects } = passed
    for (const { event, reason } of suspects.values()) {
      yield* Effect.logError(
        `${event.streamId} is parked at its version ${event.version} (${event.type}, position ${event.position}): ${reason}`
      )
    }
    return reached
  })

  /** The checkpoint then. What it fails with applied nothing. */
  return (from: Checkpoint.Checkpoint, events: Batch) =>
    Effect.suspend(() => (overdue.problemOf(events) === undefined ? plain(from, events) : inParts(from, events))).pipe(
      Effect.catchCause((cause) =>
        ProjectionFailure.kind(cause) === "defect"
          ? Effect.logWarning("a batch failed; it is tried again in parts", cause).pipe(
              Effect.andThen(onTrouble),
              Effect.andThen(inParts(from, events))
            )
          : Effect.failCause(cause)
      ),
      Effect.timed,
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
