/** The drift audit: now and then a few streams picked at random, and what was found since this process started. */
import { Clock, DateTime, type Duration, Effect, Random } from "effect"
import { Database } from "../../database/Database.ts"
import { EventStore } from "../../eventstore/EventStore.ts"
import { category } from "../../eventstore/StreamId.ts"
import * as AuditSample from "./AuditSample.ts"
import * as Checkpoint from "../Checkpoint.ts"
import * as DriftAudit from "./DriftAudit.ts"
import * as LogPages from "../run/LogPages.ts"
import type { Projection } from "../Projection.ts"
import { AuditRefused, RepairRefused, UnknownStream } from "../ProjectionErrors.ts"
import type { AuditReport, Audited, Difference } from "../Projections.ts"

export interface AuditOptions {
  readonly every: Duration.Input
  /** How many streams each time. */
  readonly streams: number
}

const mostKept = 100

export const make = Effect.fnUntraced(function* (projection: Projection) {
  const { projections: sql } = yield* Database
  const log = yield* EventStore
  const { audit, name } = projection
  const differences = new Map<string, Difference>()
  let [audited, found, repaired] = [0, 0, 0]
  let lastAt: string | undefined
  let lookedAt: string | undefined

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

  const refused = (problem: string) => new AuditRefused({ projection: name, problem })

  /** What the rows should be, unless another version made them. */
  const ownAudit = Effect.gen(function* () {
    if (audit === undefined) return yield* refused("it does not say what a row should be")
    const checkpoint = yield* Checkpoint.stored(sql, { name, slot: "live" })
    if (checkpoint === undefined || checkpoint.version === projection.version) return audit
    return yield* refused(Checkpoint.otherVersion(checkpoint.version))
  })

  /** Of a stream that it may have a row of, or was found to have one. */
  const streamOf = (text: string) =>
    projection.categories.includes(category(text)) || differences.has(text)
      ? Effect.succeed(text)
      : Effect.fail(new UnknownStream({ projection: name, streamId: text }))

  const exists = Effect.fnUntraced(function* (streamId: string) {
    const unknown = yield* LogPages.unknownStreams(sql, [streamId])
    if (unknown.length > 0) return yield* new UnknownStream({ projection: name, streamId })
  })

  const sample = Effect.fnUntraced(function* (streams: number) {
    const audit = yield* ownAudit
    for (const known of differences.keys()) {
      const still = yield* DriftAudit.compare(sql, log, projection, audit, "live", known)
      if (still._tag !== "Differs") differences.delete(known)
    }
    const result = yield* AuditSample.compare(sql, log, projection, audit, "live", streams, lookedAt)
    lookedAt = result.lookedAt
    audited += result.streams
    lastAt = DateTime.formatIso(yield* DateTime.now)
    yield* Effect.forEach(result.differences, keep, { discard: true })
    return { compared: result.streams, differences: result.differences } satisfies Audited
  })

  const stream = Effect.fnUntraced(function* (text: string) {
    const audit = yield* ownAudit
    const streamId = yield* streamOf(text)
    const result = yield* DriftAudit.compare(sql, log, projection, audit, "live", streamId)
    if (result._tag === "NotCompared") {
      yield* exists(streamId)
      return { compared: 0, differences: [] } satisfies Audited
    }
    audited++
    lastAt = DateTime.formatIso(yield* DateTime.now)
    if (result._tag === "Differs") yield* keep(result.difference)
    else differences.delete(text)
    return { compared: 1, differences: result._tag === "Differs" ? [result.difference] : [] } satisfies Audited
  })

  const repair = Effect.fnUntraced(function* (text: string) {
    if (audit === undefined) {
      return yield* new RepairRefused({ projection: name, streamId: text, problem: "it can't be audited" })
    }
    const streamId = yield* streamOf(text)
    const put = yield* DriftAudit.repair(sql, log, projection, audit, streamId)
    differences.delete(text)
    if (put === undefined) yield* exists(streamId)
    else repaired++
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
      const { compared, differences } = yield* sample(streams)
      const took = (yield* Clock.currentTimeMillis) - start
      yield* Effect.logDebug(`audited ${compared} streams in ${took} ms; ${differences.length} differ`)
    }).pipe(
      Effect.catchTag("AuditRefused", (refused) => Effect.logDebug(refused.message)),
      Effect.catchCause((cause) => Effect.logWarning("the audit failed; it is tried again later", cause)),
      Effect.forever,
      Effect.annotateLogs({ projection: name })
    )

  return { sample, stream, repair, report, watch }
})
