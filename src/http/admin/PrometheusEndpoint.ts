/**
 * Gives all metrics in Prometheus' text format: the counters so far, and the gauges at this moment.
 *
 * Each scrape makes the gauges anew, in a registry of their own, so that what is gone is not reported any more. While
 * the database is away, only the gauges that need it are missing.
 */
import { Effect, Metric, Option } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { EventStore } from "../../eventstore/EventStore.ts"
import { Aggregates } from "../../aggregate/Aggregates.ts"
import { OpenStreams, transports } from "../push/OpenStreams.ts"
import { type AuditReport, Audits } from "../../projection/audit/Audits.ts"
import { type ProjectionInfo, Projections } from "../../projection/Projections.ts"
import { type Rebuild, Rebuilds } from "../../projection/rebuild/Rebuilds.ts"
import { type Webhook, Webhooks } from "../../webhooks/Webhooks.ts"
import { GaugeSource } from "../../telemetry/GaugeSource.ts"
import * as Metrics from "../../telemetry/Metrics.ts"
import * as ProcessMetrics from "../../telemetry/ProcessMetrics.ts"

/** Prometheus gives a scrape up after 10 s by default, so the database has less time than that. */
const databaseTimeout = "2 seconds"

const ifThere = <A, E>(read: Effect.Effect<A, E>): Effect.Effect<Option.Option<A>> =>
  read.pipe(
    Effect.timeout(databaseTimeout),
    Effect.asSome,
    Effect.catchCause((cause) =>
      Effect.as(Effect.logDebug("Some metrics are missing, because the database can't be read.", cause), Option.none())
    )
  )

const progressOf = (rebuilds: ReadonlyArray<Rebuild>, { rebuildId }: ProjectionInfo): number => {
  const rebuild = rebuilds.find(({ id }) => id === rebuildId)
  if (rebuild === undefined || rebuild.target === 0n) return 1
  return Math.min(1, Number(rebuild.position) / Number(rebuild.target))
}

const projected = Effect.fnUntraced(function* (infos: ReadonlyArray<ProjectionInfo>, rebuilds: ReadonlyArray<Rebuild>) {
  const position = yield* Metrics.projectionPosition
  const lagEvents = yield* Metrics.projectionLagEvents
  const lagSeconds = yield* Metrics.projectionLagSeconds
  const parked = yield* Metrics.parkedStreams
  const progress = yield* Metrics.rebuildProgress
  for (const info of infos) {
    position(Number(info.position), info.name)
    lagEvents(info.behind, info.name)
    lagSeconds(info.lag, info.name)
    parked(info.parked, info.name)
    progress(progressOf(rebuilds, info), info.name)
  }
})

const audited = Effect.fnUntraced(function* (reports: ReadonlyArray<AuditReport>) {
  const streams = yield* Metrics.streamsAudited
  const found = yield* Metrics.driftFound
  const repaired = yield* Metrics.driftRepaired
  for (const report of reports) {
    streams(report.audited, report.projection)
    found(report.found, report.projection)
    repaired(report.repaired, report.projection)
  }
})

const delivered = Effect.fnUntraced(function* (webhooks: ReadonlyArray<Webhook>) {
  const pending = yield* Metrics.webhookPending
  const lag = yield* Metrics.webhookLagSeconds
  const enabled = yield* Metrics.webhookEnabled
  for (const webhook of webhooks) {
    pending(webhook.pending, webhook.id)
    lag(webhook.lag, webhook.id)
    enabled(webhook.isEnabled ? 1 : 0, webhook.id)
  }
})

export const make = Effect.gen(function* () {
  const log = yield* EventStore
  const projections = yield* Projections
  const rebuilds = yield* Rebuilds
  const audits = yield* Audits
  const aggregates = yield* Aggregates
  const streams = yield* OpenStreams
  const webhooks = yield* Webhooks
  const registry = yield* Metric.MetricRegistry
  const readProcess = yield* ProcessMetrics.watch
  const waited = yield* Metrics.consistencyWait
  for (const outcome of ["reached", "behind", "abandoned"]) waited.prepare(outcome)

  const gauges = Effect.gen(function* () {
    const [head, seen, endpoints, reports, actors] = yield* Effect.all(
      [
        ifThere(log.head),
        ifThere(Effect.all([projections.list, rebuilds.list], { concurrency: 2 })),
        ifThere(webhooks.list),
        audits.reports,
        aggregates.report(0)
      ],
      { concurrency: "unbounded" }
    )
    if (Option.isSome(head)) (yield* Metrics.logHead)(Number(head.value.position))
    if (Option.isSome(seen)) yield* projected(...seen.value)
    if (Option.isSome(endpoints)) yield* delivered(endpoints.value)
    yield* audited(reports)
    yield* readProcess
    ;(yield* Metrics.actorsActive)(actors.residents)
    ;(yield* Metrics.actorsBytes)(actors.residentBytes)
    ;(yield* Metrics.mailboxDepth)(actors.waiting)
    const connections = yield* Metrics.streamConnections
    for (const transport of transports) connections(streams.count(transport), transport)
  })
  const source = yield* GaugeSource
  source.read = gauges

  return Effect.gen(function* () {
    const now = yield* Effect.provideService(
      Effect.andThen(gauges, PrometheusMetrics.format()),
      Metric.MetricRegistry,
      new Map()
    )
    const counted = yield* Effect.provideService(PrometheusMetrics.format(), Metric.MetricRegistry, registry)
    return counted + now
  })
})
