/**
 * Implements `Audits` in SQL: audits a few streams now and then in the background, and remembers what this process has
 * found.
 */
import { DateTime, Effect, Layer, Random } from "effect"
import { Database } from "../../database/Database.ts"
import { EventStore } from "../../eventstore/EventStore.ts"
import { category } from "../../eventstore/StreamId.ts"
import * as OutageLog from "../../supervision/OutageLog.ts"
import { supervise } from "../../supervision/Supervisor.ts"
import * as Checkpoint from "../Checkpoint.ts"
import { findProjection, type Projection, type ProjectionAudit } from "../Projection.ts"
import { AuditRefused, RepairRefused, UnknownStream } from "../ProjectionErrors.ts"
import { ProjectionLimits } from "../ProjectionLimits.ts"
import { overdueOrUnavailable } from "../run/BoundedTransaction.ts"
import * as LogPages from "../run/LogPages.ts"
import * as ProjectionFailure from "../run/ProjectionFailure.ts"
import { type Audited, type AuditReport, Audits, type Difference } from "./Audits.ts"
import * as DriftAudit from "./DriftAudit.ts"

const maxDifferences = 100

/** Audits one projection, and counts and keeps what is found. */
const makeAudit = Effect.fnUntraced(function* (projection: Projection, audit: ProjectionAudit) {
  const { projections: sql } = yield* Database
  const log = yield* EventStore
  const { name } = projection
  const view: DriftAudit.View = { sql, log, projection, audit, slot: "live" }
  const differences = new Map<string, Difference>()
  let [audited, found, repaired] = [0, 0, 0]
  let lastAt: string | undefined
  let lastRow: string | undefined

  const refuseOtherVersion = Effect.gen(function* () {
    const checkpoint = yield* Checkpoint.stored(sql, { name, slot: "live" })
    if (checkpoint === undefined || checkpoint.version === projection.version) return
    return yield* new AuditRefused({ projection: name, problem: Checkpoint.otherVersion(checkpoint.version) })
  })

  /** Fails if the projection can't have a row of this stream, and none was found. */
  const checkCategory = (streamId: string) =>
    projection.categories.includes(category(streamId)) || differences.has(streamId)
      ? Effect.void
      : Effect.fail(new UnknownStream({ projection: name, streamId }))

  const checkExists = Effect.fnUntraced(function* (streamId: string) {
    const unknown = yield* LogPages.unknownStreams(sql, [streamId])
    if (unknown.length > 0) return yield* new UnknownStream({ projection: name, streamId })
  })

  /** Counts and keeps what was found, and logs a difference that was not known yet. */
  const record = Effect.fnUntraced(function* (result: Audited) {
    audited += result.compared
    lastAt = DateTime.formatIso(yield* DateTime.now)
    for (const difference of result.differences) {
      const { event, field, kind, streamId } = difference
      const isKnown = differences.delete(streamId)
      differences.set(streamId, difference)
      const [oldest = streamId] = differences.keys()
      if (differences.size > maxDifferences) differences.delete(oldest)
      if (isKnown) continue
      found++
      const since = event === undefined ? "" : ` since its event ${event.version}`
      yield* Effect.logError(`The view row of ${streamId} is not the fold of the log: ${field} ${kind}${since}.`)
    }
    return result
  })

  const auditSample = Effect.fnUntraced(function* (streams: number) {
    yield* refuseOtherVersion
    for (const known of differences.keys()) {
      const result = yield* DriftAudit.compare(view, known)
      if (result._tag !== "Differs") differences.delete(known)
    }
    const { compared, differences: some, lastRow: last } = yield* DriftAudit.compareSample(view, streams, lastRow)
    lastRow = last
    return yield* record({ compared, differences: some })
  })

  const auditStream = Effect.fnUntraced(function* (streamId: string) {
    yield* refuseOtherVersion
    yield* checkCategory(streamId)
    const result = yield* DriftAudit.compare(view, streamId)
    switch (result._tag) {
      case "NotCompared":
        yield* checkExists(streamId)
        return { compared: 0, differences: [] }
      case "Equal":
        differences.delete(streamId)
        return yield* record({ compared: 1, differences: [] })
      case "Differs":
        return yield* record({ compared: 1, differences: [result.difference] })
    }
  })

  const repair = Effect.fnUntraced(function* (streamId: string) {
    yield* checkCategory(streamId)
    const difference = yield* DriftAudit.repair(view, streamId)
    differences.delete(streamId)
    if (difference === undefined) yield* checkExists(streamId)
    else repaired++
    return difference
  })

  const report = (): AuditReport => ({
    projection: name,
    audited,
    found,
    repaired,
    ...(lastAt === undefined ? {} : { lastAt }),
    differences: [...differences.values()].reverse()
  })

  return { auditSample, auditStream, repair, report }
})

type ProjectionAuditor = Effect.Success<ReturnType<typeof makeAudit>>

/** Audits `streams` streams each time, for ever. */
const auditInBackground = Effect.fnUntraced(function* (name: string) {
  const { auditEvery, auditStreams } = yield* ProjectionLimits
  const { auditSample } = yield* Audits
  const outage = OutageLog.make(`The audit of ${name}`)
  yield* Effect.sleep(auditEvery).pipe(
    Effect.andThen(Random.nextIntBetween(0, 1_000)),
    Effect.flatMap(Effect.sleep),
    Effect.andThen(auditSample(name, auditStreams)),
    Effect.andThen(outage.works),
    Effect.catchTag("AuditRefused", (refused) => Effect.logDebug(refused.message)),
    Effect.catchCause((cause) =>
      outage.failed(ProjectionFailure.reasonOf(cause), ProjectionFailure.kind(cause) === "defect" ? cause : undefined)
    ),
    Effect.forever,
    Effect.annotateLogs({ projection: name })
  )
})

/** Audits a projection in the background until the scope closes, as `ProjectionLimits` says. */
export const start = Effect.fnUntraced(function* ({ audit, name }: Projection) {
  if (audit === undefined || (yield* ProjectionLimits).auditStreams === 0) return
  yield* supervise(`audit of ${name}`, auditInBackground(name))
})

const make = Effect.fnUntraced(function* (projections: () => ReadonlyArray<Projection>) {
  const context = yield* Effect.context<Database | EventStore>()
  const auditors = new Map<Projection, ProjectionAuditor>()

  const auditorOf = Effect.fnUntraced(function* (projection: Projection) {
    const { audit, name } = projection
    if (audit === undefined) {
      return yield* new AuditRefused({ projection: name, problem: "it does not say what a row should be" })
    }
    const known = auditors.get(projection)
    if (known !== undefined) return known
    const auditor = yield* makeAudit(projection, audit)
    auditors.set(projection, auditor)
    return auditor
  }, Effect.provide(context))

  const find = Effect.fnUntraced(function* (name: string) {
    return yield* auditorOf(yield* findProjection(projections(), name))
  })

  return Audits.of({
    reports: Effect.gen(function* () {
      const audited = projections().filter(({ audit }) => audit !== undefined)
      return (yield* Effect.forEach(audited, auditorOf).pipe(Effect.orDie)).map(({ report }) => report())
    }),
    auditSample: Effect.fn("Audits.auditSample")(function* (name, streams = 100) {
      const { auditSample } = yield* find(name)
      return yield* auditSample(streams).pipe(overdueOrUnavailable)
    }),
    auditStream: Effect.fn("Audits.auditStream")(function* (name, streamId) {
      const { auditStream } = yield* find(name)
      return yield* auditStream(streamId).pipe(overdueOrUnavailable)
    }),
    repair: Effect.fn("Audits.repair")(function* (name, streamId) {
      const { repair } = yield* Effect.catchTag(
        find(name),
        "AuditRefused",
        ({ problem }) => new RepairRefused({ projection: name, streamId, problem })
      )
      return yield* repair(streamId).pipe(overdueOrUnavailable)
    })
  })
})

/** Offers the audits of these projections. */
export const layer = (projections: () => ReadonlyArray<Projection>) => Layer.effect(Audits, make(projections))
