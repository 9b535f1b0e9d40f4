/**
 * Applies a batch of events in one pass, by `ProjectionWork`. A batch that fails is tried again in parts, halved until
 * one event is left. Such a suspect's stream is left out for the rest of the pass; suspects that turn out to be poison
 * (`PoisonEvents`) have their streams parked in the transaction that moves the checkpoint past them. Nothing is parked
 * unless an event of another stream gets through in the same pass. A batch that runs out of time ends the attempt instead,
 * and the next one has half as many events. `Delivery` says what a pass is: a projection's is one transaction.
 */
import { type Cause, Duration, Effect, Exit, Random } from "effect"
import { isReadonlyArrayNonEmpty } from "effect/Array"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import * as Checkpoint from "../Checkpoint.ts"
import { type Batch, isSubscription } from "../Projection.ts"
import * as Span from "../../telemetry/Span.ts"
import type { ProjectionSession } from "../store/ProjectionStore.ts"
import type { BatchSize } from "./BatchSize.ts"
import * as Delivery from "./Delivery.ts"
import { aloneIn, type Suspect, suspectOf } from "./PoisonEvents.ts"
import * as ProjectionFailure from "./ProjectionFailure.ts"

type Suspects = Delivery.Suspects

/** Some suspects have not yet failed often enough, so the pass is repeated. */
class Unproven {
  readonly _tag = "Unproven"
}

const maxParkedPerBatch = 9

export interface BatchWork extends Delivery.Target {
  /** The size outlives the attempt, so that what was too slow is not tried again as it was. */
  readonly size: BatchSize
  /** Runs when a batch fails by itself. */
  readonly onTrouble: (cause: Cause.Cause<ProjectionFailure.Failure>) => Effect.Effect<void>
}

/**
 * Gives a function that applies events from a checkpoint and gives the new one; if it fails, the checkpoint has not moved.
 */
export const make = (session: ProjectionSession, work: BatchWork) => {
  const { key, onTrouble, poison, projection, size } = work
  const delivery = Delivery.make(session, work)
  const stopped = (problem: string) => new Checkpoint.ProjectionStopped({ projection: projection.name, problem })

  const applyWhole = (from: Checkpoint.Checkpoint, events: Batch) =>
    delivery.pass(from, events, { repeatable: true }, (handled) =>
      Effect.as(delivery.handle(handled), new Map() satisfies Suspects)
    )

  /** Suspects an event, unless it was skipped in the live view, which a rebuild then skips again. */
  const suspect = Effect.fnUntraced(function* (suspects: Suspects, culprit: Suspect) {
    const { event } = culprit
    if (isSubscription(projection) || key.slot === "live" || !(yield* session.parked.isSkipped(key.name, event))) {
      suspects.set(event.streamId, culprit)
      return
    }
    yield* session.skip(projection, event, key.slot)
    yield* session.parked.recordSkip(key, culprit)
  })

  /** Applies all events that can be applied and gives their number; those that fail alone become suspects. */
  const applyParts = (
    events: ReadonlyArray<RecordedEvent>,
    suspects: Suspects
  ): Effect.Effect<number, ProjectionFailure.Failure> =>
    Effect.gen(function* () {
      const left = events.filter((event) => !suspects.has(event.streamId))
      if (!isReadonlyArrayNonEmpty(left) || suspects.size > maxParkedPerBatch) return 0
      const exit = yield* Effect.exit(delivery.attempt(left))
      if (Exit.isSuccess(exit)) return left.length
      const kind = ProjectionFailure.kind(exit.cause)
      if (!ProjectionFailure.mayBeOwn(kind) || (kind === "slow" && left.length > 1)) {
        return yield* Effect.failCause(exit.cause)
      }
      if (left.length === 1) {
        yield* suspect(suspects, suspectOf(left[0], exit.cause))
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
      const other = yield* session.nextOfOthers(projection, key, position, except)
      if (other === undefined) {
        const [first, ...more] = suspects.values()
        const isLone = poison.triedInVain.size === 0 && more.length === 0
        poison.triedInVain.clear()
        return isLone && first?.kind === "defect"
      }
      poison.triedInVain.add(other.streamId)
      const exit = yield* Effect.exit(delivery.tryOut(other))
      if (Exit.isSuccess(exit)) {
        poison.triedInVain.delete(other.streamId)
        return true
      }
      if (!ProjectionFailure.mayBeOwn(ProjectionFailure.kind(exit.cause))) return yield* exit
    }
    return false
  })

  /** Fails unless the suspects are poison, and their streams can be parked alone. */
  const prove = Effect.fnUntraced(function* (suspects: Suspects, applied: number, position: bigint) {
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
  })

  const applyInParts = Effect.fnUntraced(function* (from: Checkpoint.Checkpoint, events: Batch) {
    const pass = delivery.pass(
      from,
      events,
      { repeatable: false },
      Effect.fnUntraced(function* (handled, until) {
        const suspects: Suspects = new Map()
        const overdue = poison.takeOverdue(handled)
        if (overdue !== undefined) yield* suspect(suspects, overdue)
        const applied = yield* applyParts(handled, suspects)
        yield* prove(suspects, applied, until)
        return suspects
      })
    )
    const passed = yield* pass.pipe(
      Effect.tapErrorTag("Unproven", () => Effect.flatMap(Random.nextIntBetween(20, 100), Effect.sleep)),
      Effect.retry({ while: (error) => error._tag === "Unproven" })
    )
    for (const { event, reason } of passed.suspects.values()) {
      const { position, streamId, type, version } = event
      yield* Effect.logError(
        `${streamId} is parked at its version ${version} (${type}, position ${position}): ${reason}`
      )
    }
    return passed
  })

  /** A batch that runs out of time is made smaller; a single event that does is compared with others. */
  const isForParts = (cause: Cause.Cause<ProjectionFailure.Failure>, events: Batch) => {
    const kind = ProjectionFailure.kind(cause)
    if (kind === "slow") return aloneIn(projection, events) !== undefined && !ProjectionFailure.isOverdue(cause)
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

  /** A rebuild reads old events again, so its batches belong to no trace. */
  const inSpan = (events: Batch) =>
    Span.joined(
      "Projection.apply",
      () =>
        key.slot === "live" ? Span.ofTraceparents(events.map(({ metadata: { traceparent } }) => traceparent)) : [],
      () => ({ projection: projection.name, events: events.length })
    )

  return (from: Checkpoint.Checkpoint, events: Batch) =>
    Effect.timed(inSpan(events)(apply(from, events))).pipe(
      Effect.map(([took, { reached }]) => {
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
