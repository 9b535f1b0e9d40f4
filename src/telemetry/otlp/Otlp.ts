/**
 * Sends traces, metrics and log lines to an OpenTelemetry collector, by Effect's own exporters. This file is loaded only where a
 * collector is named. `ExportQueue` keeps a bad collector away from everything else; `Sampler` says what is recorded.
 */
import { ConfigProvider, type Duration, Effect, Layer, Logger, Metric, Tracer } from "effect"
import { FetchHttpClient, HttpMiddleware } from "effect/http"
import { OtlpExporter, OtlpLogger, OtlpMetrics, OtlpSerialization, OtlpTracer } from "effect/observability"
import { GaugeSource } from "../GaugeSource.ts"
import * as ExportQueue from "./ExportQueue.ts"
import * as Sampler from "./Sampler.ts"

export interface Options {
  /** The paths of the signals, such as `/v1/traces`, are added to this URL. */
  readonly endpoint: string
  readonly headers: Readonly<Record<string, string>>
  readonly protocol: "http/protobuf" | "http/json"
  readonly timeout: Duration.Duration
  readonly serviceName: string
  readonly resource: Readonly<Record<string, string>>
  readonly sampler: Sampler.Name
  readonly ratio: number
  readonly traces: boolean
  readonly metrics: boolean
  readonly logs: boolean
  readonly tracesEvery: Duration.Duration
  readonly metricsEvery: Duration.Duration
}

/** These are asked all the time, by machines, and say nothing of what goes on. */
const isProbe = (url: string) => url.startsWith("/health/") || url === "/metrics"

/** Effect's exporters read some of the environment themselves, but not flags, so they find nothing there. */
const withoutEnvironment = ConfigProvider.layer(ConfigProvider.fromUnknown({}))

/** Provides what the exporters share. */
const transport = ({ protocol, timeout }: Options) =>
  Layer.mergeAll(ExportQueue.layer(timeout), OtlpExporter.layerFlusher, withoutEnvironment).pipe(
    Layer.provide(protocol === "http/json" ? OtlpSerialization.layerJson : OtlpSerialization.layerProtobuf),
    Layer.provide(FetchHttpClient.layer)
  )

/** Each report reads the counters and gauges anew, so that it leaves out those that are gone. */
const registry = (every: Duration.Duration) =>
  Layer.effect(
    Metric.MetricRegistry,
    Effect.gen(function* () {
      const counted = yield* Metric.MetricRegistry
      const source = yield* GaugeSource
      let gauges: typeof counted = new Map()
      const read = Effect.suspend(() => {
        if (source.read === undefined) return Effect.void
        const fresh: typeof counted = new Map()
        return Effect.map(Effect.provideService(source.read, Metric.MetricRegistry, fresh), () => (gauges = fresh))
      })
      const readOrLeave = Effect.catchCause(read, (cause) =>
        Effect.logDebug("Gauges can't be read for a report.", cause)
      )
      yield* Effect.forkScoped(Effect.forever(Effect.andThen(readOrLeave, Effect.sleep(every))))
      return Object.assign(new Map(), { values: () => [...counted.values(), ...gauges.values()].values() })
    })
  )

export const layer = (options: Options) => {
  const { headers, logs, metrics, metricsEvery, ratio, resource, sampler, serviceName, traces, tracesEvery } = options
  const common = { headers, resource: { serviceName, attributes: resource } }
  const urlOf = (signal: string) => `${options.endpoint.replace(/\/$/, "")}/v1/${signal}`
  const tracer = OtlpTracer.make({
    ...common,
    url: urlOf("traces"),
    maxBatchSize: 500,
    exportInterval: tracesEvery
  }).pipe(Effect.map((made) => Sampler.make(made, sampler, ratio)))
  const logger = OtlpLogger.make({ ...common, url: urlOf("logs") })
  return Layer.mergeAll(
    traces ? Layer.effect(Tracer.Tracer, tracer) : Layer.empty,
    logs ? Logger.layer([logger], { mergeWithExisting: true }) : Layer.empty,
    metrics
      ? Layer.provide(
          OtlpMetrics.layer({ ...common, url: urlOf("metrics"), exportInterval: metricsEvery }),
          registry(metricsEvery)
        )
      : Layer.empty,
    Layer.succeed(HttpMiddleware.TracerDisabledWhen, ({ url }) => isProbe(url))
  ).pipe(Layer.provide(transport(options)))
}
