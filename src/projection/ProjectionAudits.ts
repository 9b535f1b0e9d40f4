/** The drift audit: now and then a few streams picked at random, and what was found since this process started. */
import { Clock, DateTime, type Duration, Effect, Random } from "effect"
import { Database } from "../database/Database.ts"
import { EventLog } from "../eventlog/EventLog.ts"
import { StreamId } from "../eventlog/StreamId.ts"
import * as AuditSample from "./AuditSample.ts"
import * as DriftAudit from "./DriftAudit.ts"
import type { Projection } from "./Projection.ts"
import { RepairRefused } from "./ProjectionErrors.ts"
import type { AuditReport, Difference } from "./Projections.ts"

export interface AuditOptions {
  readonly every: Duration.Input
  /** How many streams each time. */
  readonly streams: number
}

const mostKept = 100

export const make = Effect.fnUntraced(function* (projection: Projection) {
  const { projections: sql } = yield* Database
  const log = yield* EventLog
  const { audit, name } = projection
  const differences = new Map<string, Difference>()
  let [audited, found, repaired] = [0, 0, 0]
  let lastAt: string | undefined
  let lookedAt: StreamId | undefined

  const keep = Effect.fnUntraced(function* (difference: Difference) {
    const known = differences.get(difference.streamId)
    differences.delete(difference.streamId)
    differences.set(difference.streamId, difference)
    for (const oldest of differences.keys()) {
      if (differences.size <= mostKept) break
      differences.delete(oldest)
    }
    if (known !== undefined) return
    found++
    const { event, field, kind, streamId } = difference
    const since = event === undefined ? "" : ` since its event ${event.version}`
    yield* Effect.logError(`the view row of ${streamId} is not the fold of the log: ${field} ${kind}${since}`)
  })

  const sample = Effect.fnUntraced(function* (streams: number) {
    if (audit === undefined) return []
    for (const known of differences.keys()) {
      const streamId = StreamId.make(known)
      const still = yield* DriftAudit.compare(sql, log, projection, audit, "live", streamId)
      if (still === undefined) differences.delete(known)
    }
    const result = yield* AuditSample.compare(sql, log, projection, audit, "live", streams, lookedAt)
    lookedAt = result.lookedAt
    audited += result.streams
    lastAt = DateTime.formatIso(yield* DateTime.now)
    yield* Effect.forEach(result.differences, keep, { discard: true })
    return result.differences
  })

  const stream = Effect.fnUntraced(function* (text: string) {
    if (audit === undefined) return undefined
    const streamId = StreamId.make(text)
    const result = yield* DriftAudit.compare(sql, log, projection, audit, "live", streamId)
    audited++
    lastAt = DateTime.formatIso(yield* DateTime.now)
    if (result === undefined) differences.delete(text)
    else yield* keep(result.difference)
    return result?.difference
  })

  const repair = Effect.fnUntraced(function* (text: string) {
    if (audit === undefined) {
      return yield* new RepairRefused({ projection: name, streamId: text, problem: "it can't be audited" })
    }
    const put = yield* DriftAudit.repair(sql, log, projection, audit, StreamId.make(text))
    differences.delete(text)
    if (put !== undefined) repaired++
    return put
  })

  const report = Effect.sync((): AuditReport => ({
    projection: name,
    audited,
    found,
    repaired,
    ...(lastAt === undefined ? {} : { lastAt }),
    differences: [...differences.values()].reverse()
  }))

  /** For ever, at its own pace. */
  const watch = ({ every, streams }: AuditOptions) =>
    Effect.gen(function* () {
      yield* Effect.sleep(every)
      yield* Effect.sleep(yield* Random.nextIntBetween(0, 1_000))
      const start = yield* Clock.currentTimeMillis
      const differing = yield* sample(streams)
      const took = (yield* Clock.currentTimeMillis) - start
      yield* Effect.logDebug(`audited some streams in ${took} ms; ${differing.length} differ`)
    }).pipe(
      Effect.catchCause((cause) => Effect.logWarning("the audit failed; it is tried again later", cause)),
      Effect.forever,
      Effect.annotateLogs({ projection: name })
    )

  return { sample, stream, repair, report, watch }
})
