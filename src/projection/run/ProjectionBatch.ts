/**
 * Applies a batch of events in one transaction, by `ProjectionWork`. A batch that fails is tried again in parts, each
 * in a savepoint, halved until one event is left. Such a suspect's stream is left out for the rest of the pass, which
 * is rolled back; suspects that turn out to be poison (`PoisonEvents`) have their streams parked in the transaction
 * that moves the checkpoint past them. Nothing is parked unless an event of another stream gets through in the same
 * transaction. A batch that runs out of time ends the attempt instead, and the next one has half as many events.
 */
import { Array as Arr, type Cause, Duration, Effect, Exit, Random } from "effect"
import type { SqlClient } from "effect/sql"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import * as Checkpoint from "../Checkpoint.ts"
import * as ParkedRows from "../parking/ParkedRows.ts"
import { type Batch, type CheckpointKey, handles, type Projection } from "../Projection.ts"
import type { BatchSize } from "./BatchSize.ts"
import { bounded } from "./BoundedTransaction.ts"
import * as LogPages from "./LogPages.ts"
import { type PoisonEvents, type Suspect, suspectOf } from "./PoisonEvents.ts"
import * as ProjectionFailure from "./ProjectionFailure.ts"

/** Some suspects have not yet failed often enough, so the pass is rolled back and repeated. */
class Unproven {
  readonly _tag = "Unproven"
}

/** Rolls a savepoint back in which an event got through that is not yet due. */
class OnlyTried {
  readonly _tag = "OnlyTried"
}

const maxParkedPerBatch = 9

type Suspects = Map<string, Suspect>

export interface BatchWork {
  readonly projection: Projection
  readonly key: CheckpointKey
  /** The runner holds the lease under this name. */
  readonly owner: string
  /** The size outlives the attempt, so that what was too slow is not tried again as it was. */
  readonly size: BatchSize
  /** It outlives the attempt as well, so that failures of the same event are counted together. */
  readonly poison: PoisonEvents
  /** Runs when a batch fails by itself. */
  readonly onTrouble: (cause: Cause.Cause<ProjectionFailure.Failure>) => Effect.Effect<void>
}

/**
 * Gives a function that applies events from a checkpoint and gives the new one; if it fails, it has applied nothing.
 */
export const make = (sql: SqlClient.SqlClient, work: BatchWork) => {
  const { key, onTrouble, owner, poison, projection, size } = work
  const stopped = (problem: string) => new Checkpoint.ProjectionStopped({ projection: projection.name, problem })

  const handle = (events: ReadonlyArray<RecordedEvent>) =>
    Arr.isReadonlyArrayNonEmpty(events) ? Effect.suspend(() => projection.handle(sql, events, key.slot)) : Effect.void

  /** Gives the one event that is handled; undefined if there are several, or none. */
  const aloneIn = (events: Batch) => {
    const [event, ...others] = events.filter((event) => handles(projection, event))
    return others.length === 0 ? event : undefined
  }

  /** Moves the checkpoint past the events, and gives those to be handled. */
  const begin = Effect.fnUntraced(function* (from: Checkpoint.Checkpoint, events: Batch, repeatable: boolean) {
    const to = events[events.length - 1]!
    const { head, parked } = yield* Checkpoint.advance(sql, key, owner, from, to, { repeatable })
    const handled = events.filter((event) => handles(projection, event))
    const reached: Checkpoint.Checkpoint = { ...from, position: to.position, head }
    if (parked === 0 || handled.length === 0) return { reached, handled }
    const isParked = yield* ParkedRows.among(sql, key, [...new Set(handled.map((event) => event.streamId))])
    return { reached, handled: handled.filter((event) => !isParked.has(event.streamId)) }
  })

  const applyWhole = (from: Checkpoint.Checkpoint, events: Batch) =>
    Effect.gen(function* () {
      const { handled, reached } = yield* begin(from, events, true)
      yield* handle(handled)
      return reached
    }).pipe(sql.withTransaction, bounded, (transaction) => poison.watch(aloneIn(events), transaction))

  /** Suspects an event, unless it was skipped in the live view, which a rebuild then skips again. */
  const suspect = Effect.fnUntraced(function* (suspects: Suspects, culprit: Suspect) {
    const { event } = culprit
    if (key.slot === "live" || !(yield* ParkedRows.isSkipped(sql, key.name, event))) {
      suspects.set(event.streamId, culprit)
      return
    }
    if (projection.skip !== undefined) yield* projection.skip(sql, event, key.slot)
    yield* ParkedRows.recordSkip(sql, key, culprit)
  })

  /** Applies all events that can be applied and gives their number; those that fail alone become suspects. */
  const applyParts = (
    events: ReadonlyArray<RecordedEvent>,
    suspects: Suspects
  ): Effect.Effect<number, ProjectionFailure.Failure> =>
    Effect.gen(function* () {
      const left = events.filter((event) => !suspects.has(event.streamId))
      if (left.length === 0 || suspects.size > maxParkedPerBatch) return 0
      const exit = yield* Effect.exit(sql.withTransaction(handle(left)))
      if (Exit.isSuccess(exit)) return left.length
      const kind = ProjectionFailure.kind(exit.cause)
      if (!ProjectionFailure.mayBeOwn(kind) || (kind === "slow" && left.length > 1)) {
        return yield* Effect.failCause(exit.cause)
      }
      if (left.length === 1) {
        yield* suspect(suspects, suspectOf(left[0]!, exit.cause))
        return 0
      }
      const middle = Math.ceil(left.length / 2)
      const applied = yield* applyParts(left.slice(0, middle), suspects)
      return applied + (yield* applyParts(left.slice(middle), suspects))
    })

  /**
   * Finds out whether the handler works for anything, by trying later events of other streams, whose rows are not kept.
   * A lone event that fails by a defect, where the log holds nothing else to try, counts as if it did.
   */
  const worksForOthers = Effect.fnUntraced(function* (suspects: Suspects, position: bigint) {
    for (let tries = 0; tries < maxParkedPerBatch; tries++) {
      const except = [...suspects.keys(), ...poison.triedInVain]
      const other = yield* LogPages.nextOfOthers(sql, projection, key, position, except)
      if (other === undefined) {
        const [first, ...more] = suspects.values()
        const isLone = poison.triedInVain.size === 0 && more.length === 0
        poison.triedInVain.clear()
        return isLone && first?.kind === "defect"
      }
      poison.triedInVain.add(other.streamId)
      const exit = yield* handle([other]).pipe(
        Effect.andThen(Effect.fail(new OnlyTried())),
        sql.withTransaction,
        Effect.catchTag("OnlyTried", () => Effect.void),
        Effect.exit
      )
      if (Exit.isSuccess(exit)) {
        poison.triedInVain.delete(other.streamId)
        return true
      }
      if (!ProjectionFailure.mayBeOwn(ProjectionFailure.kind(exit.cause))) return yield* exit
    }
    return false
  })

  /** Parks the suspects' streams, unless something else is at fault or a stream can't be parked alone. */
  const park = Effect.fnUntraced(function* (suspects: Suspects, applied: number, position: bigint) {
    const [first] = suspects.values()
    if (first === undefined) return
    const { cause, event, kind, reason } = first
    const areAllDefects = [...suspects.values()].every(({ kind }) => kind === "defect")
    if (suspects.size > maxParkedPerBatch) {
      if (!areAllDefects) return yield* Effect.failCause(cause)
      return yield* stopped(
        `${suspects.size} streams fail in one batch, so the handler is at fault; one of them: ${reason}`
      )
    }
    if (projection.partition === "none" && kind !== "defect") return yield* Effect.failCause(cause)
    const isProven = projection.partition === "none" || applied > 0 || (yield* worksForOthers(suspects, position))
    if (!isProven) return yield* Effect.failCause(cause)
    if (!poison.count(suspects.values())) return yield* Effect.fail(new Unproven())
    if (projection.partition === "none") {
      return yield* stopped(`${event.type} at position ${event.position} fails and can't be set aside: ${reason}`)
    }
    yield* Effect.forEach(suspects.values(), (culprit) => ParkedRows.park(sql, key, culprit), { discard: true })
  })

  const applyInParts = Effect.fnUntraced(function* (from: Checkpoint.Checkpoint, events: Batch) {
    const pass = Effect.gen(function* () {
      const { handled, reached } = yield* begin(from, events, false)
      const suspects: Suspects = new Map()
      const overdue = poison.takeOverdue(handled)
      if (overdue !== undefined) yield* suspect(suspects, overdue)
      const applied = yield* applyParts(handled, suspects)
      yield* park(suspects, applied, reached.position)
      return { reached, suspects }
    }).pipe(sql.withTransaction, bounded, (transaction) => poison.watch(aloneIn(events), transaction))
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

  /** A batch that runs out of time is made smaller; a single event that does is compared with others. */
  const isForParts = (cause: Cause.Cause<ProjectionFailure.Failure>, events: Batch) => {
    const kind = ProjectionFailure.kind(cause)
    if (kind === "slow") return aloneIn(events) !== undefined && !ProjectionFailure.isOverdue(cause)
    return ProjectionFailure.mayBeOwn(kind)
  }

  const apply = (from: Checkpoint.Checkpoint, events: Batch) =>
    Effect.suspend(() => {
      if (poison.hasOverdue(events)) return applyInParts(from, events)
      return Effect.catchCause(applyWhole(from, events), (cause) =>
        isForParts(cause, events)
          ? Effect.andThen(onTrouble(cause), applyInParts(from, events))
          : Effect.failCause(cause)
      )
    })

  return (from: Checkpoint.Checkpoint, events: Batch) =>
    Effect.timed(apply(from, events)).pipe(
      Effect.map(([took, reached]) => {
        poison.passed(reached.position)
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
