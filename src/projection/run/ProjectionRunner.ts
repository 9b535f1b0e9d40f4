/**
 * Runs a projection for as long as the process lives, while it holds the lease; otherwise it stands by.
 *
 * Every end of an attempt leads to a new one that starts from the committed checkpoint: after a lost race soon, after a
 * failure with backoff. Only a checkpoint that is not of this log, or a handler that fails for everything, stops it; it
 * goes on once that is put right (a rebuild, `resume`).
 */
import type { PgClient } from "@effect/sql-pg"
import { Cause, Effect, Layer, Random } from "effect"
import { SecureRandom } from "effect/crypto"
import { Database, withDedicatedConnection } from "../../database/Database.ts"
import { backoff, withinSeconds } from "../../database/SqlFailure.ts"
import { LogTail } from "../../eventstore/tail/LogTail.ts"
import * as Metrics from "../../telemetry/Metrics.ts"
import * as BatchSize from "./BatchSize.ts"
import * as Checkpoint from "../Checkpoint.ts"
import * as Lease from "./Lease.ts"
import * as OverdueEvent from "./OverdueEvent.ts"
import type { CheckpointKey, Projection } from "../Projection.ts"
import * as ProjectionFailure from "./ProjectionFailure.ts"
import { ProjectionProgress } from "../consistency/ProjectionProgress.ts"
import type { ProjectionStatus } from "../consistency/ProjectionProgress.ts"
import * as ProjectionSetup from "../ProjectionSetup.ts"
import * as ProjectionWork from "./ProjectionWork.ts"
import * as RebuildRecord from "../rebuild/RebuildRecord.ts"

/** Events behind the head: `live` from so few on, `catching-up` again with more than so many. */
const near = 100
const far = 2_000

const standbyPoll = "250 millis"

/** What an attempt comes to: another one, or the end. */
export type Next = "again" | "stop"

/**
 * Repeats attempts until one stops. `becomes` is told what it is doing; `hasAdvanced`, whether something was applied
 * since it was last asked.
 */
export const supervised = <R>(
  attempt: Effect.Effect<unknown, ProjectionFailure.Failure, R>,
  options: {
    readonly becomes: (status: ProjectionStatus) => void
    readonly hasAdvanced: () => boolean
    readonly stopped: (problem: string) => Effect.Effect<void>
  }
) => {
  /** What an ended attempt leads to. Fails if the next one is to wait, longer each time until one gets on. */
  const judge = Effect.fnUntraced(function* (cause: Cause.Cause<ProjectionFailure.Failure>) {
    const next = options.hasAdvanced() ? Effect.succeed<Next>("again") : Effect.fail("later" as const)
    switch (ProjectionFailure.kind(cause)) {
      case "interrupted":
        return yield* Effect.interrupt
      case "moved":
        yield* Effect.sleep(yield* Random.nextIntBetween(5, 50))
        return "again" as const
      case "refused": {
        const error = Cause.squash(cause)
        const problem = error instanceof Error ? error.message : String(error)
        options.becomes("stopped")
        yield* options.stopped(problem)
        yield* Effect.logError(problem)
        return "stop" as const
      }
      case "transient":
      case "slow":
        options.becomes("retrying")
        yield* Effect.logWarning("the database failed the projection; it tries again", cause)
        return yield* next
      case "defect":
        options.becomes("retrying")
        yield* Effect.logError("the projection failed; it starts again from its checkpoint", cause)
        return yield* next
    }
  })
  return attempt.pipe(
    Effect.as<Next>("again"),
    Effect.catchCause(judge),
    Effect.retry(backoff),
    Effect.repeat({ until: (next) => next === "stop" })
  )
}

/** Ends only when the projection has stopped. */
export const run = Effect.fnUntraced(function* (projection: Projection) {
  const database = yield* Database
  const tail = yield* LogTail
  const progress = yield* ProjectionProgress
  const pool = database.projections
  const owner = SecureRandom.uuidV7Unsafe()
  const key: CheckpointKey = { name: projection.name, version: projection.version, slot: "live" }
  const size = BatchSize.make(database.kind)
  const overdue = OverdueEvent.make()
  let isLive = false
  let hasAdvanced = false

  const failures = yield* Metrics.projectionFailures
  failures.prepare(projection.name)

  const becomes = (status: ProjectionStatus) => {
    if (status === "retrying" || status === "stopped") failures(1, projection.name)
    progress.becomes(projection, status)
  }

  const standsAt = ({ head, position }: Checkpoint.Checkpoint) => {
    isLive = head - position <= (isLive ? far : near)
    progress.committed(projection, position)
    becomes(isLive ? "live" : "catching-up")
  }

  /** The table in use was made by an older version: it serves, unchanged, until a new one can take its place. */
  const replace = Effect.fnUntraced(function* (sql: PgClient.PgClient, version: number) {
    if (version > projection.version || projection.tables === undefined) {
      const problem = Checkpoint.otherVersion(version)
      return yield* new Checkpoint.CheckpointRefused({ projection: projection.name, problem })
    }
    becomes("rebuilding")
    if (yield* RebuildRecord.requestVersion(sql, projection)) {
      yield* Effect.logInfo(`the view is of version ${version}; one of version ${projection.version} is being built`)
    }
    yield* Effect.sleep(standbyPoll)
  })

  const step = Effect.fnUntraced(function* (sql: PgClient.PgClient) {
    const row = yield* withinSeconds(6)(Checkpoint.stored(sql, key))
    if (row === undefined) return yield* withinSeconds(6)(ProjectionSetup.run(sql, projection))
    if (row.version !== projection.version) return yield* replace(sql, row.version)
    const problem = Checkpoint.problemOf(row)
    if (problem !== undefined) return yield* new Checkpoint.CheckpointRefused({ projection: projection.name, problem })
    const isOurs = yield* withinSeconds(6)(Lease.take(sql, key, owner, database.kind === "pglite"))
    standsAt(row)
    if (row.paused) becomes("paused")
    if (row.paused || !isOurs) return yield* Effect.sleep(standbyPoll)
    if (row.owner !== owner)
      yield* Effect.logInfo(`the projection runs in this process from here on, by lease ${owner}`)
    const reached = (_: unknown, checkpoint: Checkpoint.Checkpoint) =>
      Effect.sync(() => {
        hasAdvanced ||= checkpoint.position > row.position
        standsAt(checkpoint)
      })
    const onTrouble = Effect.sync(() => becomes("retrying"))
    yield* ProjectionWork.follow(sql, tail, { projection, key, owner, size, overdue, reached, onTrouble }, row)
  })

  const attempt = withDedicatedConnection(database.projectionConnection, (sql) => Effect.forever(step(sql)))
  const release = Lease.release(pool, key, owner).pipe(withinSeconds(2), Effect.ignore)
  becomes("starting")
  return yield* supervised(attempt, {
    becomes,
    hasAdvanced: () => {
      const had = hasAdvanced
      hasAdvanced = false
      return had
    },
    stopped: (problem) => Checkpoint.stop(pool, key, problem).pipe(withinSeconds(6), Effect.ignore)
  }).pipe(Effect.ensuring(release), Effect.annotateLogs({ projection: projection.name }))
})

/** Waits until what stopped it is put right. */
const putRight = Effect.fnUntraced(function* (projection: Projection) {
  const { projections: sql } = yield* Database
  const look = Checkpoint.stored(sql, { name: projection.name, slot: "live" }).pipe(
    withinSeconds(6),
    Effect.map((row) => row === undefined || (row.problem === null && row.version <= projection.version)),
    Effect.orElseSucceed(() => false)
  )
  return yield* Effect.delay(look, "1 second").pipe(Effect.repeat({ until: (isRight) => isRight }))
})

/** Runs the projection in the background until the scope closes. */
export const layer = (projection: Projection): Layer.Layer<never, never, Database | LogTail | ProjectionProgress> =>
  run(projection).pipe(
    Effect.andThen(putRight(projection)),
    Effect.forever,
    Effect.forkScoped({ startImmediately: true }),
    Layer.effectDiscard
  )
