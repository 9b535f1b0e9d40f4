/**
 * One attempt at following the log with one of a projection's tables, for as long as the lease is held and nothing
 * fails. It has a connection of its own, so that a transaction that hangs keeps nobody else waiting.
 *
 * Invariant: view rows and checkpoint move in one transaction, by compare-and-set on the checkpoint, over contiguous
 * positions. So whatever is interrupted, repeated or run twice, each event is applied once, in order, and none is
 * skipped but those of parked streams. `ProjectionRunner` and `RebuildRunner` call this.
 */
import { Array as Arr, Clock, Effect, Stream } from "effect"
import { withinSeconds } from "../../database/SqlFailure.ts"
import { maxPageSize, type RecordedEvent } from "../../eventstore/EventStore.ts"
import { LogGap, LogWentBack } from "../../eventstore/tail/LogErrors.ts"
import type { LogTail } from "../../eventstore/tail/LogTail.ts"
import * as Checkpoint from "../Checkpoint.ts"
import type { Batch } from "../Projection.ts"
import type { ProjectionSession } from "../store/ProjectionStore.ts"
import * as BatchSize from "./BatchSize.ts"
import * as Gathering from "./Gathering.ts"
import * as Lease from "./Lease.ts"
import * as ProjectionBatch from "./ProjectionBatch.ts"
import type { Failure } from "./ProjectionFailure.ts"

/** From so many events behind the head on, pages are read ahead of those that are being applied. */
const farBehind = 2_000n

export interface Work extends ProjectionBatch.BatchWork {
  /** Limits the events per second. */
  readonly eventsPerSecond?: number
  /** Called with the checkpoint at the beginning and after each commit. */
  readonly onCheckpoint: (checkpoint: Checkpoint.Checkpoint) => Effect.Effect<void, Failure>
  /** Waits until somebody waits for the view; without it, nobody ever does. */
  readonly whenAwaited?: Effect.Effect<void>
}

/**
 * Renews the lease; ends when another process has it, or somebody has paused or dropped the checkpoint, or moved it back
 * behind `reached`. A process that can't read the log gives its lease back, for one that can.
 */
export const keepLease = (
  session: ProjectionSession,
  tail: Pick<LogTail["Service"], "isReading">,
  { key, owner }: Pick<Work, "key" | "owner">,
  reached: () => bigint = () => 0n
) =>
  Effect.gen(function* () {
    yield* Effect.sleep(yield* Lease.renewal)
    if (!(yield* tail.isReading)) {
      yield* session.releaseLease(key, owner).pipe(withinSeconds(6), Effect.ignore)
      return yield* new Checkpoint.CheckpointMoved()
    }
    const position = reached()
    const isKept = yield* session.renewLease(key, owner).pipe(
      Effect.andThen(session.stored(key)),
      Effect.map(
        (row) => row?.owner === owner && row.version === key.version && !row.paused && row.position >= position
      ),
      withinSeconds(6),
      Effect.catch((error) => Effect.as(Effect.logDebug("The lease can't be renewed for now.", error), true))
    )
    if (!isKept) return yield* new Checkpoint.CheckpointMoved()
  }).pipe(Effect.forever)

/** Waits after a batch for as long as the rate demands. */
const throttled =
  (eventsPerSecond: number) =>
  <A, E, R>(events: number, apply: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.gen(function* () {
      // A wall clock that is set back while a batch is applied would make the wait as long as it was set back.
      const start = yield* Clock.monotonicTimeNanos
      const applied = yield* apply
      const took = Number((yield* Clock.monotonicTimeNanos) - start) / 1_000_000
      const left = (events * 1_000) / eventsPerSecond - took
      if (left > 0) yield* Effect.sleep(left)
      return applied
    })

/** Follows the log from `start`, the stored checkpoint; never ends but by failing. */
export const follow = (
  session: ProjectionSession,
  tail: LogTail["Service"],
  work: Work,
  start: Checkpoint.Checkpoint
): Effect.Effect<void, Failure> => {
  const { eventsPerSecond = Infinity, onCheckpoint, projection, size, whenAwaited = Effect.never } = work
  const batchSize = () => Math.max(1, Math.min(size.current(), eventsPerSecond))
  const throttle = throttled(eventsPerSecond)
  const apply = ProjectionBatch.make(session, work)
  // A shadow serves nobody, so its next attempt may judge by the stored checkpoint whether what it has is still of the log.
  const wentBack =
    work.key.slot === "shadow"
      ? new Checkpoint.CheckpointMoved()
      : Checkpoint.rebuildDemanded(projection.name, "the log was replaced by an older copy while it ran")

  let checkpoint = start
  const run = Effect.gen(function* () {
    yield* onCheckpoint(checkpoint)
    const applyNext = Effect.fnUntraced(function* (events: Batch) {
      const { position } = checkpoint
      const [first, last] = [events[0].position, events[events.length - 1]!.position]
      if (first !== position + 1n || last !== position + BigInt(events.length)) {
        return yield* Effect.die(new LogGap(position, first))
      }
      checkpoint = yield* throttle(events.length, apply(checkpoint, events))
      yield* onCheckpoint(checkpoint)
    })
    const applyAll = Effect.fnUntraced(function* (events: ReadonlyArray<RecordedEvent>) {
      let left = events
      while (Arr.isReadonlyArrayNonEmpty(left)) {
        const [batch, rest] = Arr.splitAtNonEmpty(left, BatchSize.cut(projection, left, batchSize()))
        yield* applyNext(batch)
        left = rest
      }
    })
    /** Applies what is there up to `head`, while more is read. Pages, which are of bounded size, are read ahead. */
    const catchUp = (head: bigint) =>
      tail.pages(checkpoint.position).pipe(
        Stream.takeUntil((page) => page[page.length - 1]!.position >= head),
        Stream.buffer({ capacity: Math.ceil(size.max / maxPageSize) }),
        Stream.runForEachArray((pages) => applyAll(pages.flat()))
      )
    const timeline = yield* tail.timeline
    const gathering = Gathering.make({ projection, tail, limit: batchSize, whenAwaited })
    const followHead = Effect.gen(function* () {
      const pull = Effect.map(yield* Stream.toPull(tail.pages(checkpoint.position)), Arr.flatten)
      while ((yield* tail.position) - checkpoint.position < farBehind) {
        yield* applyAll(yield* gathering.next(pull))
        yield* gathering.committed
      }
    }).pipe(
      Effect.catchTag("Done", () => Effect.die(new Error("The log's tail ended."))),
      Effect.scoped
    )
    while ((yield* tail.timeline) === timeline) {
      const head = yield* tail.position
      yield* head - checkpoint.position < farBehind ? followHead : catchUp(head)
    }
    return yield* Effect.die(new LogWentBack(checkpoint.position, yield* tail.position))
  })
  return Effect.raceFirst(
    run,
    keepLease(session, tail, work, () => checkpoint.position)
  ).pipe(Effect.catchDefect((defect) => (defect instanceof LogWentBack ? Effect.fail(wentBack) : Effect.die(defect))))
}
