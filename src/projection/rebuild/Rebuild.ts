/**
 * Builds a projection's shadow table from the beginning of the log while the live one serves, and puts it in its place.
 *
 * The shadow has a checkpoint of its own and is followed as the live table is: it goes on where it was after a crash, in
 * whichever process gets its lease. It takes the live table's place in one transaction under the locks of both
 * checkpoints, in which it is first brought to where the live one is, so that no reader ever sees an older or an empty
 * row, or a position that goes back.
 *
 * **Gotchas**: while a table of an older version serves and no process of that version runs any more, it stays as it is
 * until then, and its lag says so.
 */
import type { PgClient } from "@effect/sql-pg"
import { type Cause, Clock, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import type { SqlError } from "effect/sql/SqlError"
import { Database, withDedicatedConnection } from "../../database/Database.ts"
import { EventStore } from "../../eventstore/EventStore.ts"
import { LogTail } from "../../eventstore/tail/LogTail.ts"
import { withinSeconds } from "../../database/SqlFailure.ts"
import * as Metrics from "../../telemetry/Metrics.ts"
import * as AuditSample from "../audit/AuditSample.ts"
import * as BatchSize from "../run/BatchSize.ts"
import * as Checkpoint from "../Checkpoint.ts"
import * as Lease from "../run/Lease.ts"
import * as OverdueEvent from "../run/OverdueEvent.ts"
import type { CheckpointKey, Projection } from "../Projection.ts"

import * as ProjectionFailure from "../run/ProjectionFailure.ts"
import * as ProjectionRunner from "../run/ProjectionRunner.ts"
import * as ProjectionWork from "../run/ProjectionWork.ts"
import * as RebuildRecord from "./RebuildRecord.ts"
import * as RebuildSwap from "./RebuildSwap.ts"
import * as SwapPace from "./SwapPace.ts"

const poll = "250 millis"

const locked =
  "the table that serves is locked, by somebody who reads it for long or changes it, so it can't be replaced yet; " +
  "this is tried again every 2 to 30 s until it is free"

/** Events per second over the last few seconds. */
const speedometer = () => {
  const seen: Array<{ readonly at: number; readonly position: bigint }> = []
  return (at: number, position: bigint): number => {
    seen.push({ at, position })
    while (seen.length > 2 && at - seen[0]!.at > 5_000) seen.shift()
    const first = seen[0]!
    return at > first.at ? (Number(position - first.position) * 1_000) / (at - first.at) : 0
  }
}

/** Works on whatever rebuild of this projection is on record, for ever. */
const run = Effect.fnUntraced(function* (projection: Projection) {
  const database = yield* Database
  const tail = yield* LogTail
  const log = yield* EventStore
  const sql = database.projections
  const owner = SecureRandom.uuidV7Unsafe()
  const key: CheckpointKey = { name: projection.name, version: projection.version, slot: "shadow" }
  const size = BatchSize.make(database.kind)
  const overdue = OverdueEvent.make()
  const failures = yield* Metrics.projectionFailures
  let hasAdvanced = false
  let compared: string | undefined
  let swaps = { id: "", pace: SwapPace.make() }

  /** It can't go on by itself, unless it has been aborted and need not. Ends the attempt. */
  const block = Effect.fnUntraced(function* (
    sql: PgClient.PgClient,
    id: string,
    problem: string,
    ...causes: ReadonlyArray<Cause.Cause<unknown>>
  ) {
    if (yield* RebuildRecord.becomes(sql, id, "blocked", problem)) {
      failures(1, projection.name)
      yield* Effect.logError(`the rebuild is blocked: ${problem}`, ...causes)
    }
    return yield* new Checkpoint.CheckpointMoved()
  })

  const compare = Effect.fnUntraced(function* (sql: PgClient.PgClient, { id, streams }: RebuildRecord.Row) {
    if (compared === id || projection.audit === undefined) return
    const { differences, streams: count } = yield* AuditSample.compare(
      database.projections,
      log,
      projection,
      projection.audit,
      "shadow",
      streams ?? "all"
    )
    yield* RebuildRecord.compared(sql, id, count, differences.length)
    const [first] = differences
    if (first !== undefined) {
      const example = `${first.streamId} in ${first.field || "all of it"}`
      yield* block(sql, id, `${differences.length} of ${count} rows are not the fold of the log, as ${example}`)
    }
    compared = id
  })

  /** What fails by itself would fail again. */
  const orBlock =
    (sql: PgClient.PgClient, id: string) =>
    <A, E>(self: Effect.Effect<A, E>): Effect.Effect<A, E | Checkpoint.CheckpointMoved | SqlError> =>
      Effect.catchCause(self, (cause): Effect.Effect<never, E | Checkpoint.CheckpointMoved | SqlError> => {
        if (ProjectionFailure.kind(cause) !== "defect") return Effect.failCause(cause)
        return block(sql, id, ProjectionFailure.reasonOf(cause), cause)
      })

  const reached = (record: RebuildRecord.Row, start: bigint) => {
    const rate = speedometer()
    if (swaps.id !== record.id) swaps = { id: record.id, pace: SwapPace.make() }
    const { pace } = swaps
    let first: bigint | undefined
    return Effect.fnUntraced(function* (sql: PgClient.PgClient, checkpoint: Checkpoint.Checkpoint) {
      const { position } = checkpoint
      hasAdvanced ||= position > start
      const progress = Effect.fnUntraced(function* () {
        const speed = rate(yield* Clock.currentTimeMillis, position)
        yield* RebuildRecord.progress(sql, record.id, position, speed, pace.isPutOff() ? locked : undefined)
      })
      yield* progress()
      const target = yield* RebuildSwap.target(sql, projection, checkpoint)
      first ??= target
      // What the live table had at the beginning is applied in the ordinary way, and compared, however little it is.
      if (target === undefined || position < (first ?? 0n) || !RebuildSwap.isNear(position, target, size)) return
      if (!(yield* pace.begins)) return
      yield* compare(sql, record).pipe(orBlock(sql, record.id))
      const result = yield* RebuildSwap.swap(sql, projection, owner, record.id, size).pipe(orBlock(sql, record.id))
      if (result._tag === "NotYet") return
      if (result._tag === "Locked") {
        if (yield* pace.later) yield* Effect.logWarning(locked)
        return yield* progress()
      }
      if (result._tag === "Refused") return yield* block(sql, record.id, result.problem)
      hasAdvanced = true
      yield* Effect.logInfo(`the rebuilt view serves, from position ${result.position} on`)
      return yield* new Checkpoint.CheckpointMoved()
    })
  }

  const attempt = Effect.gen(function* () {
    const record = yield* withinSeconds(6)(RebuildRecord.open(sql, projection.name))
    if (record?.version !== projection.version || record.state !== "running") return yield* Effect.sleep(poll)
    yield* withinSeconds(6)(RebuildRecord.prepare(sql, projection, record.id)).pipe(
      Effect.catchTag("RebuildRefused", (error) => block(sql, record.id, error.problem))
    )
    const row = yield* withinSeconds(6)(Checkpoint.stored(sql, key))
    if (row?.version !== projection.version || row.paused) return yield* Effect.sleep(poll)
    const problem = Checkpoint.problemOf(row)
    if (problem !== undefined) return yield* block(sql, record.id, problem)
    const isOurs = yield* withinSeconds(6)(Lease.take(sql, key, owner, database.kind === "pglite"))
    if (!isOurs) return yield* Effect.sleep(poll)
    const { eventsPerSecond, id } = record
    const work = {
      projection,
      key,
      owner,
      size,
      overdue,
      ...(eventsPerSecond === null ? {} : { eventsPerSecond }),
      reached: reached(record, row.position),
      onTrouble: Effect.void
    }
    const follow = (sql: PgClient.PgClient) =>
      Effect.raceFirst(ProjectionWork.follow(sql, tail, work, row), swaps.pace.dueAgain)
    yield* withDedicatedConnection(database.projectionConnection, follow).pipe(
      Effect.catchTag("ProjectionBroken", (error) => block(sql, id, error.problem)),
      Effect.catchTag("CheckpointRefused", (error) => block(sql, id, error.problem)),
      Effect.annotateLogs({ rebuild: id })
    )
  })

  yield* ProjectionRunner.supervised(attempt, {
    becomes: (status) => {
      if (status === "retrying") failures(1, projection.name)
    },
    hasAdvanced: () => {
      const had = hasAdvanced
      hasAdvanced = false
      return had
    },
    stopped: () => Effect.void
  }).pipe(
    Effect.ensuring(Lease.release(sql, key, owner).pipe(withinSeconds(2), Effect.ignore)),
    Effect.annotateLogs({ projection: projection.name })
  )
})

/** Works on rebuilds in the background until the scope closes. */
export const layer = (projection: Projection): Layer.Layer<never, never, Database | LogTail | EventStore> =>
  run(projection).pipe(Effect.forever, Effect.forkScoped({ startImmediately: true }), Layer.effectDiscard)
