/**
 * Metrics of this process, under the names that Prometheus's client for Node gives them, so that dashboards know them: memory,
 * processor, how late the event loop is, and the pauses of the garbage collector.
 */
import { Effect } from "effect"
import { readdir } from "node:fs/promises"
import { constants, monitorEventLoopDelay, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks"
import { getHeapStatistics } from "node:v8"
import { counter, gauge, histogram } from "./Instrument.ts"

const cpu = counter("process_cpu_seconds_total", "Time of processors that this process has used")
const started = gauge("process_start_time_seconds", "Time of the start of this process, since 1970")
const resident = gauge("process_resident_memory_bytes", "Memory of the machine that this process takes")
const openFiles = gauge("process_open_fds", "Open files and connections of this process")
const heapTotal = gauge("nodejs_heap_size_total_bytes", "Size of the heap")
const heapUsed = gauge("nodejs_heap_size_used_bytes", "Part of the heap that is used")
const heapLimit = gauge("nodejs_heap_size_limit_bytes", "Size that the heap may grow to")
const external = gauge("nodejs_external_memory_bytes", "Memory outside of the heap that objects in it hold")
const utilization = gauge("nodejs_eventloop_utilization_ratio", "Share of the time in which the event loop was busy")
const delays = {
  mean: gauge("nodejs_eventloop_lag_mean_seconds", "Mean of how late the event loop was since the last reading"),
  p99: gauge(
    "nodejs_eventloop_lag_p99_seconds",
    "In 99 % of all looks since the last reading the event loop was no later"
  ),
  max: gauge("nodejs_eventloop_lag_max_seconds", "Latest that the event loop was since the last reading")
}
const collections = histogram(
  "nodejs_gc_duration_seconds",
  "Pauses of the garbage collector",
  [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1],
  ["kind"]
)

const kinds: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: "major",
  [constants.NODE_PERFORMANCE_GC_MINOR]: "minor",
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: "incremental",
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: "weakcb"
}

/** The event loop is asked this often, in milliseconds, how late it is. */
const resolution = 20

const watchCollections = Effect.gen(function* () {
  const pause = yield* collections
  for (const kind of Object.values(kinds)) pause.prepare(kind)
  const observer = new PerformanceObserver((list) => {
    // Node describes each pause in `detail`, which the type of all entries does not have.
    for (const entry of list.getEntries() as ReadonlyArray<
      PerformanceEntry & { readonly detail?: { kind?: number } }
    >) {
      pause(entry.duration / 1_000, kinds[entry.detail?.kind ?? -1] ?? "other")
    }
  })
  yield* Effect.acquireRelease(
    Effect.sync(() => observer.observe({ entryTypes: ["gc"] })),
    () => Effect.sync(() => observer.disconnect())
  )
})

/** Gives the number of open files; undefined where the system does not tell. */
const countFiles = Effect.promise(() =>
  readdir("/proc/self/fd").then(
    ({ length }) => length,
    () => undefined
  )
)

/** Watches the process until the scope closes. The effect that it gives makes the gauges, of this moment. */
export const watch = Effect.gen(function* () {
  yield* watchCollections
  const delay = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const delay = monitorEventLoopDelay({ resolution })
      delay.enable()
      return delay
    }),
    (delay) => Effect.sync(() => delay.disable())
  )
  let before = performance.eventLoopUtilization()

  return Effect.gen(function* () {
    const { external: outside, heapTotal: total, heapUsed: used, rss } = process.memoryUsage()
    const { system, user } = process.cpuUsage()
    ;(yield* cpu)((system + user) / 1e6)
    ;(yield* started)(performance.timeOrigin / 1_000)
    ;(yield* resident)(rss)
    ;(yield* heapTotal)(total)
    ;(yield* heapUsed)(used)
    ;(yield* heapLimit)(getHeapStatistics().heap_size_limit)
    ;(yield* external)(outside)
    const now = performance.eventLoopUtilization()
    ;(yield* utilization)(performance.eventLoopUtilization(now, before).utilization)
    before = now
    // The timer that measures is itself late by its resolution.
    const late = (nanoseconds: number) => Math.max(0, nanoseconds / 1e9 - resolution / 1_000) || 0
    ;(yield* delays.mean)(late(delay.mean))
    ;(yield* delays.p99)(late(delay.percentile(99)))
    ;(yield* delays.max)(late(delay.max))
    delay.reset()
    const files = yield* countFiles
    if (files !== undefined) (yield* openFiles)(files)
  })
})
