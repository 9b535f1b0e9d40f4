/**
 * Stands between Effect's exporters and the collector, as the `HttpClient` of the former: it takes each request at once, and
 * sends one after the other for as long as that takes.
 *
 * A collector that is away or slow holds nobody up and costs `maxBytes` at most: what comes beyond is dropped and counted,
 * and so is what the collector refuses. The log says once that it fails, and once that it works again.
 */
import { Clock, Context, Duration, Effect, Latch, Layer, Schedule } from "effect"
import { HttpClient, HttpClientError, HttpClientRequest, HttpClientResponse } from "effect/http"
import { OtlpSerialization } from "effect/observability"
import * as Metrics from "../Metrics.ts"

export const maxBytes = 8 * 1024 ** 2

/** So long a stopping process waits until what it has is sent. */
const longestFlush = "3 seconds"

type Signal = "traces" | "metrics" | "logs"

interface Waiting {
  readonly request: HttpClientRequest.HttpClientRequest
  readonly bytes: number
  readonly signal: Signal
  readonly count: number
}

/** The number of spans, log lines or metrics in a body, by the body. */
class Counts extends Context.Service<Counts, WeakMap<object, Pick<Waiting, "count" | "signal">>>()(
  "ordinal/telemetry/otlp/Counts"
) {
  static readonly layer = Layer.sync(Counts, () => new WeakMap())
}

/** Serializes as the other one does, and remembers how much is in each body. */
const counted = Layer.effect(
  OtlpSerialization.OtlpSerialization,
  Effect.gen(function* () {
    const counts = yield* Counts
    const { logs, metrics, traces } = yield* OtlpSerialization.OtlpSerialization
    const noted = <A extends object>(body: A, signal: Signal, count: number): A => {
      counts.set(body, { signal, count })
      return body
    }
    const sum = (numbers: ReadonlyArray<number>) => numbers.reduce((total, number) => total + number, 0)
    return {
      traces: (data) =>
        noted(
          traces(data),
          "traces",
          sum(data.resourceSpans.flatMap((of) => of.scopeSpans.map(({ spans }) => spans.length)))
        ),
      metrics: (data) => noted(metrics(data), "metrics", 1),
      logs: (data) =>
        noted(
          logs(data),
          "logs",
          sum(data.resourceLogs.flatMap((of) => of.scopeLogs.map(({ logRecords = [] }) => logRecords.length)))
        )
    }
  })
)

/** The collector may take the same later. */
const isPassing = (error: HttpClientError.HttpClientError | "timeout"): boolean =>
  error === "timeout" || error.response === undefined || [429, 502, 503, 504].includes(error.response.status)

const reasonOf = (error: HttpClientError.HttpClientError | "timeout"): string => {
  if (error === "timeout") return "it does not answer in time"
  if (error.response !== undefined) return `it answers with ${error.response.status}`
  const { cause } = error.reason as { readonly cause?: unknown }
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  return inner instanceof Error ? inner.message : "it can't be reached"
}

const pauses = Schedule.min([Schedule.exponential("500 millis"), Schedule.spaced("5 seconds")]).pipe(Schedule.jittered)

const queue = (timeout: Duration.Duration) =>
  Effect.gen(function* () {
    const counts = yield* Counts
    const client = HttpClient.filterStatusOk(yield* HttpClient.HttpClient)
    const clock = yield* Clock.Clock
    const sent = yield* Metrics.telemetrySent
    const dropped = yield* Metrics.telemetryDropped
    const signals = ["traces", "metrics", "logs"] as const
    for (const signal of signals) sent.prepare(signal)
    for (const signal of signals) dropped.prepare(signal)

    const waiting: Array<Waiting> = []
    let bytes = 0
    const someWait = Latch.makeUnsafe()
    const noneWait = Latch.makeUnsafe(true)
    /** Since when the collector takes nothing of a signal, and how much of it was dropped since. */
    const outages = new Map<Signal, { readonly since: number; lost: number }>()

    const drop = ({ count, signal }: Waiting) => {
      dropped(count, signal)
      const outage = outages.get(signal)
      if (outage !== undefined) outage.lost += count
    }

    const fails = ({ request, signal }: Waiting, reason: string) =>
      Effect.suspend(() => {
        if (outages.has(signal)) return Effect.void
        outages.set(signal, { since: clock.currentTimeMillisUnsafe(), lost: 0 })
        const where = new URL(request.url).host
        return Effect.logWarning(
          `The collector of telemetry at ${where} takes no ${signal}: ${reason}. Nothing waits for it; what it does not take in the end is dropped, and counted in orders_telemetry_dropped_total.`
        )
      })
    const works = ({ count, signal }: Waiting) =>
      Effect.suspend(() => {
        sent(count, signal)
        const outage = outages.get(signal)
        if (outage === undefined) return Effect.void
        outages.delete(signal)
        const seconds = Math.max(1, Math.round((clock.currentTimeMillisUnsafe() - outage.since) / 1_000))
        return Effect.logInfo(
          `The collector of telemetry takes ${signal} again after ${seconds} s; ${outage.lost} of them were dropped.`
        )
      })

    const send = (item: Waiting) =>
      client.execute(item.request).pipe(
        Effect.tap((response) => response.arrayBuffer),
        Effect.timeoutOrElse({ duration: timeout, orElse: () => Effect.fail("timeout" as const) }),
        Effect.tapError((error) => fails(item, reasonOf(error))),
        Effect.retry({ schedule: pauses, while: isPassing }),
        Effect.matchEffect({
          onSuccess: () => works(item),
          onFailure: () => Effect.sync(() => drop(item))
        })
      )

    yield* Effect.gen(function* () {
      while (true) {
        yield* someWait.await
        const item = waiting[0]!
        yield* send(item)
        waiting.shift()
        bytes -= item.bytes
        if (waiting.length > 0) continue
        someWait.closeUnsafe()
        noneWait.openUnsafe()
      }
    }).pipe(Effect.withTracerEnabled(false), Effect.forkScoped)

    yield* Effect.addFinalizer(() =>
      waiting[0] !== undefined && outages.has(waiting[0].signal)
        ? Effect.void
        : Effect.ignore(Effect.timeoutOption(noneWait.await, longestFlush))
    )

    return HttpClient.make((request) =>
      Effect.sync(() => {
        const item: Waiting = {
          request,
          bytes: ("contentLength" in request.body ? request.body.contentLength : 0) ?? 0,
          ...(counts.get(request.body) ?? { signal: "traces", count: 1 })
        }
        if (bytes + item.bytes > maxBytes) drop(item)
        else {
          waiting.push(item)
          bytes += item.bytes
          noneWait.closeUnsafe()
          someWait.openUnsafe()
        }
        return HttpClientResponse.fromWeb(request, new Response(null, { status: 200 }))
      })
    )
  })

/** Provides what Effect's exporters ask for. `timeout` is how long the collector has to answer one request. */
export const layer = (timeout: Duration.Duration) =>
  Layer.merge(Layer.effect(HttpClient.HttpClient, queue(timeout)), counted).pipe(Layer.provide(Counts.layer))
