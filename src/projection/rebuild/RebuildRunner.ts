/**
 * Works on the rebuild of a projection: fills the shadow table from the beginning of the log while the live table serves,
 * compares it with the log, and puts it in the live table's place. The shadow has a checkpoint of its own and follows the
 * log as the live table does, so after a crash any process goes on where it was. `ProjectionLayers` starts this.
 *
 * **Gotchas**: the live table of an older version stays as it is once no process of that version runs; its lag says so.
 */
import type { PgClient } from "@effect/sql-pg"
import { type Cause, Effect } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { Database, withDedicatedConnection } from "../../database/Database.ts"
import { withinSeconds } from "../../database/SqlFailure.ts"
import { EventStore } from "../../eventstore/EventStore.ts"
import { LogTail } from "../../eventstore/tail/LogTail.ts"
import * as MonotonicClock from "../../supervision/MonotonicClock.ts"
import * as OutageLog from "../../supervision/OutageLog.ts"
import { supervise } from "../../supervision/Supervisor.ts"
import * as Metrics from "../../telemetry/Metrics.ts"
import * as DriftAudit from "../audit/DriftAudit.ts"
import * as Checkpoint from "../Checkpoint.ts"
import type { CheckpointKey, Projection } from "../Projection.ts"
import * as BatchSize from "../run/BatchSize.ts"
import * as Lease from "../run/Lease.ts"
import * as PoisonEvents from "../run/PoisonEvents.ts"
import * as ProjectionFailure from "../run/ProjectionFailure.ts"
import * as ProjectionRunner from "../run/ProjectionRunner.ts"
import * as ProjectionWork from "../run/ProjectionWork.ts"
import { ProjectionStore } from "../store/ProjectionStore.ts"
import { session } from "../store/SqlProjectionStore.ts"
import * as RebuildRows from "./RebuildRows.ts"
import * as RebuildSwap from "./RebuildSwap.ts"
import * as UuidV7 from "../../eventstore/UuidV7.ts"

const poll = "250 millis"

/** Measures events per second, over the last five seconds or so. */
const eventRate = () => {
  const samples: Array<{ readonly at: number; readonly position: bigint }> = []
  return (at: number, position: bigint): number => {
    samples.push({ at, position })
    while (samples.length > 2 && at - samples[0]!.at > 5_000) samples.shift()
    const first = samples[0]!
    return at > first.at ? (Number(position - first.position) * 1_000) / (at - first.at) : 0
  }
}

/** Works on every rebuild of this projection that is on record, for ever. */
const run = Effect.fnUntraced(function* (projection: Projection) {
  const database = yield* Database
  const store = yield* ProjectionStore
  const log = yield* EventStore
  const tail = yield* LogTail
  const failures = yield* Metrics.projectionFailures
  const sql = database.projections
  const owner = UuidV7.make()
  const key: CheckpointKey = { name: projection.name, version: projection.version, slot: "shadow" }
  const size = BatchSize.make(store.maxBatch)
  const poison = PoisonEvents.make()
  const outage = OutageLog.make(`The rebuild of ${projection.name}`)
  let swap = yield* RebuildSwap.makeState("")
  /** This rebuild was stopped, and has applied nothing since. */
  let doubted = ""

  /** Records why the rebuild can't go on by itself, unless it was aborted meanwhile, and ends the attempt. */
  const block = Effect.fnUntraced(function* (
    sql: PgClient.PgClient,
    id: string,
    problem: string,
    ...causes: ReadonlyArray<Cause.Cause<unknown>>
  ) {
    if (yield* RebuildRows.setState(sql, id, "blocked", problem)) {
      failures(1, projection.name)
      yield* Effect.logError(`The rebuild is blocked: ${problem}`, ...causes)
    }
    return yield* new Checkpoint.CheckpointMoved()
  })

  /**
   * Blocks a rebuild that is stopped twice. The first time, what it was given may be of a log that was replaced, which this
   * process learns within half a second.
   */
  const blockOrDoubt = (sql: PgClient.PgClient, id: string, problem: string) =>
    Effect.suspend(() => {
      if (doubted === id) return block(sql, id, problem)
      doubted = id
      return Effect.andThen(Effect.sleep("1 second"), Effect.fail(new Checkpoint.CheckpointMoved()))
    })

  /** Blocks the rebuild where its own work is at fault and would fail again. */
  const orBlock =
    (sql: PgClient.PgClient, id: string) =>
    <A, E>(self: Effect.Effect<A, E>): Effect.Effect<A, E | Checkpoint.CheckpointMoved | SqlError> =>
      Effect.catchCause(self, (cause): Effect.Effect<never, E | Checkpoint.CheckpointMoved | SqlError> => {
        const kind = ProjectionFailure.kind(cause)
        if (kind === "defect") return block(sql, id, ProjectionFailure.reasonOf(cause), cause)
        if (kind !== "environment") return Effect.failCause(cause)
        // A rebuild that was aborted meanwhile has lost its table, which is no failure.
        return Effect.flatMap(
          RebuildRows.open(sql, projection.name),
          (rebuild): Effect.Effect<never, E | Checkpoint.CheckpointMoved> =>
            rebuild?.id === id ? Effect.failCause(cause) : Effect.fail(new Checkpoint.CheckpointMoved())
        )
      })

  /** Compares rows of the shadow with the log, once for each rebuild. */
  const compare = Effect.fnUntraced(function* (sql: PgClient.PgClient, { id, streams }: RebuildRows.Row) {
    const { audit } = projection
    if (swap.isCompared || audit === undefined) return
    const view: DriftAudit.View = { sql: database.projections, log, projection, audit, slot: "shadow" }
    const { compared, differences } = yield* streams === undefined
      ? DriftAudit.compareAll(view)
      : DriftAudit.compareSample(view, streams)
    yield* RebuildRows.recordComparison(sql, id, compared, differences.length)
    const [first] = differences
    if (first !== undefined) {
      const example = `${first.streamId} in ${first.field || "all of it"}`
      yield* block(sql, id, `${differences.length} of ${compared} rows are not the fold of the log, as ${example}`)
    }
    swap.isCompared = true
  })

  /**
   * Compares the shadow with the log and puts it in place of the live table. Returns if the shadow has to apply more
   * events first; otherwise fails with `CheckpointMoved`, which ends the attempt.
   */
  const trySwap = Effect.fnUntraced(function* (sql: PgClient.PgClient, rebuild: RebuildRows.Row) {
    yield* compare(sql, rebuild).pipe(orBlock(sql, rebuild.id))
    const result = yield* RebuildSwap.swap(sql, projection, owner, rebuild.id, size).pipe(orBlock(sql, rebuild.id))
    if (result._tag === "Locked" && !swap.isLocked) yield* Effect.logWarning(RebuildSwap.tableLocked)
    swap.isLocked = result._tag === "Locked"
    switch (result._tag) {
      case "NotYet":
        return
      case "Refused":
        return yield* block(sql, rebuild.id, result.problem)
      case "Swapped":
        yield* Effect.logInfo(`The rebuilt view serves, from position ${result.position} on.`)
        return yield* new Checkpoint.CheckpointMoved()
      case "Locked": {
        const now = yield* MonotonicClock.millis
        swap.dueAt = now + (yield* swap.nextPause(now))
        return yield* new Checkpoint.CheckpointMoved()
      }
    }
  })

  /** Records the progress after each batch, and swaps the tables once the shadow has caught up. */
  const onCheckpoint = (sql: PgClient.PgClient, rebuild: RebuildRows.Row, start: bigint, markAdvanced: () => void) => {
    const rate = eventRate()
    let firstTarget: bigint | undefined
    return Effect.fnUntraced(function* (checkpoint: Checkpoint.Checkpoint) {
      const { position } = checkpoint
      if (position > start) {
        doubted = ""
        markAdvanced()
        yield* outage.works
      }
      const eventsPerSecond = rate(yield* MonotonicClock.millis, position)
      yield* RebuildRows.recordProgress(
        sql,
        rebuild.id,
        position,
        eventsPerSecond,
        swap.isLocked ? RebuildSwap.tableLocked : null
      )
      if ((yield* MonotonicClock.millis) < swap.dueAt) return
      const target = yield* RebuildSwap.target(sql, projection, checkpoint)
      if (target === undefined) return
      firstTarget ??= target
      // The swap applies the last events itself, so it waits until the shadow has what the live table had at first.
      if (position >= firstTarget && RebuildSwap.isNear(position, target, size)) yield* trySwap(sql, rebuild)
    })
  }

  const attempt = Effect.fnUntraced(function* (markAdvanced: () => void) {
    const rebuild = yield* withinSeconds(6)(RebuildRows.open(sql, projection.name))
    if (rebuild?.version !== projection.version || rebuild.state !== "running") {
      return yield* Effect.andThen(outage.works, Effect.sleep(poll))
    }
    const { eventsPerSecond, id } = rebuild
    if (swap.id !== id) swap = yield* RebuildSwap.makeState(id)
    yield* withinSeconds(6)(RebuildRows.prepare(sql, projection, id)).pipe(
      Effect.catchTag("RebuildRefused", ({ problem }) => block(sql, id, problem))
    )
    const start = yield* withinSeconds(6)(Checkpoint.stored(sql, key))
    if (start?.version !== projection.version || start.paused) return yield* Effect.sleep(poll)
    const problem = Checkpoint.problemOf(start)
    if (problem !== undefined) return yield* block(sql, id, problem)
    if (!(yield* tail.isReading)) return yield* Effect.sleep(poll)
    const isOurs = yield* withinSeconds(6)(Lease.take(sql, key, owner, database.kind === "pglite"))
    if (!isOurs) return yield* Effect.sleep(poll)
    yield* withinSeconds(6)(store.shared.fit(projection, "shadow", start)).pipe(
      Effect.catchTag("ProjectionStopped", ({ problem }) => block(sql, id, problem))
    )
    const work = {
      projection,
      key,
      owner,
      size,
      poison,
      ...(eventsPerSecond === undefined ? {} : { eventsPerSecond }),
      onTrouble: () => Effect.void
    }
    const pause = swap.dueAt - (yield* MonotonicClock.millis)
    yield* withDedicatedConnection(database.projectionConnection, (sql) => {
      const progress = onCheckpoint(sql, rebuild, start.position, markAdvanced)
      const follow = ProjectionWork.follow(session(sql), tail, { ...work, onCheckpoint: progress }, start)
      // A new attempt begins when the pause is over, since only a batch or the beginning of an attempt tries the swap.
      return pause > 0 ? Effect.raceFirst(follow, Effect.sleep(pause)) : follow
    }).pipe(
      Effect.catchTag("ProjectionStopped", ({ problem }) => blockOrDoubt(sql, id, problem)),
      Effect.annotateLogs({ rebuild: id })
    )
  })

  yield* ProjectionRunner.supervised(attempt, {
    outage,
    becomes: (status) => {
      if (status === "retrying") failures(1, projection.name)
    },
    stopped: () => Effect.void
  }).pipe(
    Effect.ensuring(Lease.release(sql, key, owner).pipe(withinSeconds(2), Effect.ignore)),
    Effect.annotateLogs({ projection: projection.name })
  )
})

/** Works on rebuilds in the background until the scope closes. */
export const start = (projection: Projection) =>
  supervise(`rebuild of ${projection.name}`, Effect.forever(run(projection)))
