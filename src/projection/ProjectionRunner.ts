/**
 * Runs one projection for as long as the process lives.
 *
 * Invariant: view rows and checkpoint move in one transaction, by compare-and-set on the checkpoint, over contiguous
 * positions. So whatever is interrupted, repeated or run twice, each event is applied once, in order, and none is
 * skipped.
 *
 * Every end of an attempt leads to a new one that starts from the committed checkpoint: after a lost race soon, after a
 * failure with backoff. Only a checkpoint that is not of this log stops it.
 */
import { Cause, Effect, Layer, Random, Stream } from "effect"
import { Database } from "../database/Database.ts"
import { backoff } from "../eventlog/Backoff.ts"
import { LogGap, LogTail } from "../eventlog/LogTail.ts"
import { bounded } from "./BoundedTransaction.ts"
import * as Checkpoint from "./Checkpoint.ts"
import { type Batch, handles, type Projection } from "./Projection.ts"
import * as ProjectionFailure from "./ProjectionFailure.ts"
import { ProjectionProgress } from "./ProjectionProgress.ts"

/** Most events in one transaction. The embedded database blocks the event loop while it works. */
const batchSizes = { postgres: 2_000, pglite: 500 }

/** Events behind the head: `live` from so few on, `catching-up` again with more than so many. */
const near = 100
const far = 2_000

/** Ends only when the projection has stopped for good. */
export const run = Effect.fnUntraced(function* (projection: Projection) {
  const { kind, projections: sql } = yield* Database
  const tail = yield* LogTail
  const progress = yield* ProjectionProgress
  let isLive = false
  let hasAdvanced = false

  const standsAt = ({ position, head }: Checkpoint.Checkpoint) => {
    isLive = head - position <= (isLive ? far : near)
    progress.committed(projection, position)
    progress.becomes(projection, isLive ? "live" : "catching-up")
  }

  /** One transaction, which waits for nothing but SQL. */
  const apply = (from: Checkpoint.Checkpoint, to: bigint, events: Batch) =>
    Effect.gen(function* () {
      const head = yield* Checkpoint.advance(sql, projection, from, to)
      const [first, ...rest] = events.filter((event) => handles(projection, event))
      if (first !== undefined) yield* projection.handle(sql, [first, ...rest])
      return { ...from, position: to, head }
    }).pipe(sql.withTransaction, bounded)

  const attempt = Effect.gen(function* () {
    let checkpoint = yield* Checkpoint.load(sql, projection)
    standsAt(checkpoint)
    const applyNext = Effect.fnUntraced(function* (events: Batch) {
      const { position } = checkpoint
      const [first, last] = [events[0].position, events[events.length - 1]!.position]
      if (first !== position + 1n || last !== position + BigInt(events.length)) {
        return yield* Effect.die(new LogGap(position, first))
      }
      checkpoint = yield* apply(checkpoint, last, events)
      hasAdvanced = true
      standsAt(checkpoint)
    })
    yield* tail
      .pages(checkpoint.position)
      .pipe(Stream.flattenArray, Stream.buffer({ capacity: batchSizes[kind] }), Stream.runForEachArray(applyNext))
  })

  /** What an ended attempt leads to. Fails if the next one is to wait, longer each time until one gets on. */
  const judge = Effect.fnUntraced(function* (cause: Cause.Cause<ProjectionFailure.Failure>) {
    const next = hasAdvanced ? Effect.succeed("again" as const) : Effect.fail("later" as const)
    hasAdvanced = false
    switch (ProjectionFailure.kind(cause)) {
      case "interrupted":
        return yield* Effect.interrupt
      case "moved":
        yield* Effect.sleep(yield* Random.nextIntBetween(5, 50))
        return "again"
      case "refused":
        progress.becomes(projection, "stopped")
        yield* Effect.logError(Cause.squash(cause))
        return "stop"
      case "transient":
        progress.becomes(projection, "retrying")
        yield* Effect.logWarning("the database failed the projection; it tries again", cause)
        return yield* next
      case "defect":
        progress.becomes(projection, "retrying")
        yield* Effect.logError("the projection failed; it starts again from its checkpoint", cause)
        return yield* next
    }
  })

  progress.becomes(projection, "starting")
  return yield* attempt.pipe(
    Effect.as("again" as const),
    Effect.catchCause(judge),
    Effect.retry(backoff),
    Effect.repeat({ until: (next) => next === "stop" }),
    Effect.annotateLogs({ projection: projection.name })
  )
})

/** Runs the projection in the background until the scope closes. */
export const layer = (projection: Projection): Layer.Layer<never, never, Database | LogTail | ProjectionProgress> =>
  Layer.effectDiscard(Effect.forkScoped(run(projection), { startImmediately: true }))
