/** `Projections` in SQL: runs them, their rebuilds and their audits in the background, and answers for all of them. */
import { Effect, Layer } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { Database } from "../database/Database.ts"
import { EventStore } from "../eventstore/EventStore.ts"
import type { LogTail } from "../eventstore/tail/LogTail.ts"
import { orUnavailable, withinSeconds } from "../database/SqlFailure.ts"
import { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import type { TransactionOverdue } from "./run/BoundedTransaction.ts"
import * as ParkedRetry from "./parking/ParkedRetry.ts"
import * as ParkedStreams from "./parking/ParkedStreams.ts"
import type { Projection } from "./Projection.ts"
import * as ProjectionAudits from "./audit/ProjectionAudits.ts"
import { RebuildRefused, UnknownParkedStream, UnknownProjection, UnknownRebuild } from "./ProjectionErrors.ts"
import { ProjectionLimits } from "./ProjectionLimits.ts"
import type { ProjectionBroken } from "./run/ProjectionBroken.ts"
import * as ProjectionList from "./ProjectionList.ts"
import { ProjectionProgress } from "./consistency/ProjectionProgress.ts"
import * as ConsistencyToken from "./consistency/ConsistencyToken.ts"
import * as ProjectionRunner from "./run/ProjectionRunner.ts"
import { type ParkedStream, Projections, type Rebuild } from "./Projections.ts"
import * as Rebuilds from "./rebuild/Rebuild.ts"
import * as ProjectionSetup from "./ProjectionSetup.ts"
import * as RebuildRecord from "./rebuild/RebuildRecord.ts"
import type { RebuildState } from "./rebuild/RebuildState.ts"

const isSqlError = (error: { readonly _tag: string }): error is SqlError => error._tag === "SqlError"
const isOverdue = (error: { readonly _tag: string }): error is TransactionOverdue => error._tag === "TransactionOverdue"

/** A transaction whose end is not known is looked up by whoever asked. */
const available = <A, E extends { readonly _tag: string }, R>(
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, Exclude<E, SqlError | TransactionOverdue> | DatabaseUnavailable, R> =>
  Effect.catch(self, (error): Effect.Effect<never, Exclude<E, SqlError | TransactionOverdue> | DatabaseUnavailable> => {
    if (isSqlError(error)) return orUnavailable(Effect.fail(error))
    if (isOverdue(error)) return new DatabaseUnavailable({ retryAfter: 1, cause: error })
    // What is left after the two above.
    return Effect.fail(error as Exclude<E, SqlError | TransactionOverdue>)
  })

const toParked = ({ id, parkedAt, ...row }: ParkedStreams.Parked): ParkedStream => ({
  id,
  projection: row.projection,
  streamId: row.streamId,
  version: row.version,
  position: row.position,
  reason: row.reason,
  parkedAt: parkedAt.toISOString(),
  retries: row.retries,
  parked: row.parked,
  degraded: row.degraded,
  skipped: row.skipped
})

const toRebuild = ({ finishedAt, problem, ...row }: RebuildRecord.Row): Rebuild => ({
  id: row.id,
  projection: row.projection,
  version: row.version,
  state: row.state,
  from: 0n,
  position: row.position,
  target: row.target,
  rate: row.rate,
  ...(row.state === "running" && row.rate > 0
    ? { etaSeconds: Math.max(0, Number(row.target - row.position)) / row.rate }
    : {}),
  compared: row.compared,
  different: row.different,
  ...(problem === null ? {} : { problem }),
  startedAt: row.startedAt.toISOString(),
  ...(finishedAt === null ? {} : { finishedAt: finishedAt.toISOString() })
})

export const make = Effect.fnUntraced(function* (registered: ReadonlyArray<Projection>, options?: Options) {
  const { auditEvery, auditStreams } = yield* ProjectionLimits
  const auditOptions = options === undefined ? { every: auditEvery, streams: auditStreams } : options.audit
  const { projections: sql } = yield* Database
  const log = yield* EventStore
  const { logId } = yield* log.head
  const progress = yield* ProjectionProgress
  const projections = new Map(registered.map((projection) => [projection.name, projection]))
  const clash = ProjectionSetup.clashOf(registered)
  if (clash !== undefined) return yield* Effect.die(new TypeError(clash))
  const audits = new Map<string, Effect.Success<ReturnType<typeof ProjectionAudits.make>>>()
  for (const projection of registered) {
    const audit = yield* ProjectionAudits.make(projection)
    audits.set(projection.name, audit)
    if (auditOptions !== undefined && auditOptions.streams > 0 && projection.audit !== undefined)
      yield* Effect.forkScoped(audit.watch(auditOptions))
  }

  const named = (name: string) => {
    const projection = projections.get(name)
    return projection === undefined ? Effect.fail(new UnknownProjection({ name })) : Effect.succeed(projection)
  }
  const auditOf = (name: string) => {
    const audit = audits.get(name)
    return audit === undefined ? Effect.fail(new UnknownProjection({ name })) : Effect.succeed(audit)
  }

  const setPaused = Effect.fnUntraced(function* (name: string, paused: boolean) {
    yield* named(name)
    yield* sql`UPDATE ordinal.checkpoints SET paused = ${paused}, problem = CASE WHEN ${paused} THEN problem END
      WHERE projection = ${name} AND slot = 'live'`.pipe(available, withinSeconds(6))
    yield* Effect.logInfo(paused ? "the projection is paused" : "the projection is resumed", { projection: name })
  })

  const parkedBy = Effect.fnUntraced(function* (id: string) {
    const [row] = yield* ParkedStreams.list(sql, id).pipe(available, withinSeconds(6))
    const projection = row === undefined ? undefined : projections.get(row.projection)
    return projection ?? (yield* new UnknownParkedStream({ id }))
  })

  const rebuildById = Effect.fnUntraced(function* (id: string) {
    const [row] = yield* RebuildRecord.list(sql, id).pipe(available, withinSeconds(6))
    return row ?? (yield* new UnknownRebuild({ id }))
  })
  const ended = ({ id, projection, state }: RebuildRecord.Row) =>
    new RebuildRefused({ projection, id, problem: `this rebuild is ${state}; start another one` })

  const rebuildBecomes = Effect.fnUntraced(function* (id: string, state: RebuildState) {
    const row = yield* rebuildById(id)
    const isOpen = yield* RebuildRecord.becomes(sql, id, state).pipe(available, withinSeconds(6))
    if (!isOpen) return yield* ended(row)
    return toRebuild(yield* rebuildById(id))
  })

  const rebuildStatus = (id: string) => Effect.map(rebuildById(id), toRebuild)

  return Projections.of({
    list: ProjectionList.read(sql, progress, projections).pipe(available, withinSeconds(6)),
    pause: Effect.fn("Projections.pause")((name: string) => setPaused(name, true)),
    resume: Effect.fn("Projections.resume")((name: string) => setPaused(name, false)),

    awaitToken: Effect.fn("Projections.awaitToken")(function* (name, token, { streamId, wait } = {}) {
      const projection = yield* named(name)
      const required = yield* ConsistencyToken.awaitIn(log, logId, {
        position: progress.position(projection),
        awaitPosition: (position) => progress.awaitPosition(projection, position)
      })(token, wait)
      if (streamId === undefined) return
      const parkedAt = yield* ParkedStreams.parkedAt(sql, name, streamId).pipe(available, withinSeconds(6))
      if (parkedAt === undefined || parkedAt > required) return
      return yield* ConsistencyToken.ProjectionBehind.parked(required, parkedAt)
    }),

    rebuild: Effect.fn("Projections.rebuild")(function* (name, options = {}) {
      const projection = yield* named(name)
      if (projection.tables === undefined) {
        const problem =
          "it has no second table to be rebuilt in; to begin anew, empty what it keeps and delete its row of " +
          "ordinal.checkpoints, both in one transaction, then restart every process"
        return yield* new RebuildRefused({ projection: name, problem })
      }
      const { id, isNew } = yield* RebuildRecord.request(sql, projection, options).pipe(
        Effect.catchTag("ProjectionBroken", ({ problem }) => new RebuildRefused({ projection: name, problem })),
        available,
        withinSeconds(6)
      )
      if (!isNew)
        return yield* new RebuildRefused({
          projection: name,
          id,
          problem: `rebuild ${id} is under way; wait for it or abort it`
        })
      yield* Effect.logInfo(`rebuild ${id} of the projection begins`, { projection: name })
      return yield* Effect.catchTag(rebuildStatus(id), "UnknownRebuild", Effect.die)
    }),
    rebuilds: RebuildRecord.list(sql).pipe(
      available,
      withinSeconds(6),
      Effect.map((rows) => rows.map(toRebuild))
    ),
    rebuildStatus,
    pauseRebuild: (id) => rebuildBecomes(id, "paused"),
    resumeRebuild: (id) => rebuildBecomes(id, "running"),
    abortRebuild: Effect.fn("Projections.abortRebuild")(function* (id) {
      const row = yield* rebuildById(id)
      const projection = projections.get(row.projection)
      if (projection === undefined) return yield* new UnknownRebuild({ id })
      const isAborted = yield* RebuildRecord.abort(sql, projection, id).pipe(available, withinSeconds(6))
      if (!isAborted) return yield* ended(row)
      return toRebuild(yield* rebuildById(id))
    }),

    parked: ParkedStreams.list(sql).pipe(
      available,
      withinSeconds(6),
      Effect.map((rows) => rows.map(toParked))
    ),
    retry: (id) => Effect.flatMap(parkedBy(id), (projection) => available(ParkedRetry.retry(sql, projection, id))),
    skip: (id, version) =>
      Effect.flatMap(parkedBy(id), (projection) => available(ParkedRetry.skip(sql, projection, id, version))),

    audits: Effect.suspend(() =>
      Effect.all(
        [...audits].flatMap(([name, { report }]) => (projections.get(name)?.audit === undefined ? [] : [report]))
      )
    ),
    audit: (name, streams = 100) => Effect.flatMap(auditOf(name), ({ sample }) => available(sample(streams))),
    auditStream: (name, streamId) => Effect.flatMap(auditOf(name), ({ stream }) => available(stream(streamId))),
    repair: (name, streamId) => Effect.flatMap(auditOf(name), ({ repair }) => available(repair(streamId)))
  })
})

/** Without them, what `ProjectionLimits` says. */
export interface Options {
  /** `undefined`: none in the background. */
  readonly audit?: ProjectionAudits.AuditOptions | undefined
}

/** Runs these projections until the scope closes, as far as no other process does. */
export const layer = (
  projections: ReadonlyArray<Projection>,
  options?: Options
): Layer.Layer<
  Projections,
  SqlError | DatabaseUnavailable | ProjectionBroken,
  Database | LogTail | EventStore | ProjectionProgress
> => {
  const setUp = (projection: Projection) =>
    Effect.flatMap(Database, (database) => ProjectionSetup.run(database.projections, projection))
  const background = (projection: Projection) =>
    Layer.merge(ProjectionRunner.layer(projection), Rebuilds.layer(projection)).pipe(
      Layer.provide(Layer.effectDiscard(setUp(projection)))
    )
  const service: ReturnType<typeof layer> = Layer.effect(Projections, make(projections, options))
  return projections.reduce((running, projection) => Layer.merge(running, background(projection)), service)
}
