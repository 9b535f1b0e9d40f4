/** What was counted, series by series. */
import { Effect, Metric } from "effect"
import { PrometheusMetrics } from "effect/observability"

/** Runs it with metrics of its own. */
export const withOwnMetrics = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => Effect.provideService(self, Metric.MetricRegistry, new Map()))

/** The value of a series, as `name{label="value"}`; undefined if there is none. */
export const value = (series: string): Effect.Effect<number | undefined> =>
  Effect.map(PrometheusMetrics.format(), (text) => {
    const line = text.split("\n").find((line) => line.startsWith(`${series} `))
    return line === undefined ? undefined : Number(line.slice(series.length + 1))
  })
