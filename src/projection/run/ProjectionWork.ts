/**
 * One attempt at following the log with one of a projection's tables, for as long as the lease is held and nothing
 * fails. The connection is its own: a transaction that hangs keeps nobody else waiting.
 *
 * Invariant: view rows and checkpoint move in one transaction, by compare-and-set on the checkpoint, over contiguous
 * positions. So whatever is interrupted, repeated or run twice, each event is applied once, in order, and none is
 * skipped but what is set aside.
 */
import type { PgClient } from "@effect/sql-pg"
import { Array as Arr, Clock, Effect, Stream } from "effect"
import { LogGap, type LogTail } from "../../eventstore/tail/LogTail.ts"
import { maxPageSize, type RecordedEvent } from "../../eventstore/EventStore.ts"
import { withinSeconds } from "../../database/SqlFailure.ts"
import * as Checkpoint from "../Checkpoint.ts"
import * as Lease from "./Lease.ts"
import { type Batch, handles } from "../Projection.ts"
import * as ProjectionBatch from "./ProjectionBatch.ts"
import type { Failure } from "./ProjectionFailure.ts"

/** So long more is let come after events that are none of its own: its checkpoint is not committed for each of them. */
const linger = "20 millis"

export interface Work extends ProjectionBatch.BatchWork {
  /** At most so many events per second. */
  readonly eventsPerSecond?: number
  /** At the beginning and after each commit: where it stands. */
  readonly reached: (sql: PgClient.PgClient, checkpoint: Checkpoint.Checkpoint) => Effect.Effect<void, Failure>
}

/** Ends when somebody else has the lease, has paused it or has done away with it. */
const keepLease = (sql: PgClient.PgClient, { key, owner }: Work) =>
  Effect.gen(function* () {
    yield* Effect.sleep(yield* Lease.renewal)
    const isKept = yield* Lease.take(sql, key, owner, false).pipe(
      Effect.andThen(Checkpoint.stored(sql, key)),
      Effect.map((row) => row?.owner === owner && row.version === key.version && !row.paused),
      withinSeconds(6),
      Effect.catch((error) => Effect.as(Effect.logDebug("the lease can't be renewed for now", error), true))
    )
    if (!isKept) return yield* new Checkpoint.CheckpointMoved()
  }).pipe(Effect.forever)

/** Waits so long that the batch does not exceed the rate. */
const throttled =
  (eventsPerSecond: number | undefined) =>
  <A, E, R>(events: number, apply: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    eventsPerSecond === undefined
      ? apply
      : Effect.gen(function* () {
          const start = yield* Clock.currentTimeMillis
          const applied = yield* apply
          const took = (yield* Clock.currentTimeMillis) - start
          yield* Effect.sleep(Math.max(0, (events * 1_000) / eventsPerSecond - took))
          return applied
        })

/** Never ends but by failing. `start`: the checkpoint as it is stored. */
export const follow = (
  sql: PgClient.PgClient,
  tail: LogTail["Service"],
  work: Work,
  start: Checkpoint.Checkpoint
): Effect.Effect<void, Failure> => {
  const { eventsPerSecond, projection, reached, size } = work
  const atOnce = () => Math.max(1, Math.min(size.current(), eventsPerSecond ?? Infinity))
  const throttle = throttled(eventsPerSecond)
  const apply = ProjectionBatch.make(sql, work)

  const run = Effect.gen(function* () {
    let checkpoint = start
    yield* reached(sql, checkpoint)
    const applyNext = Effect.fnUntraced(function* (events: Batch) {
      const { position } = checkpoint
      const isAll = events.length < atOnce()
      const [first, last] = [events[0].position, events[events.length - 1]!.position]
      if (first !== position + 1n || last !== position + BigInt(events.length)) {
        return yield* Effect.die(new LogGap(position, first))
      }
      checkpoint = yield* throttle(events.length, apply(checkpoint, events))
      yield* reached(sql, checkpoint)
      if (isAll && !events.some((event) => handles(projection, event))) yield* Effect.sleep(linger)
    })
    const applyAll = Effect.fnUntraced(function* (pages: ReadonlyArray<Batch>) {
      let left: ReadonlyArray<RecordedEvent> = pages.flat()
      while (Arr.isReadonlyArrayNonEmpty(left)) {
        const [some, others] = Arr.splitAtNonEmpty(left, atOnce())
        yield* applyNext(some)
        left = others
      }
    })
    // Pages, which are of bounded size, and not events are read ahead.
    yield* tail
      .pages(start.position)
      .pipe(Stream.buffer({ capacity: Math.ceil(size.most / maxPageSize) }), Stream.runForEachArray(applyAll))
  })
  return Effect.raceFirst(run, keepLease(sql, work))
}
