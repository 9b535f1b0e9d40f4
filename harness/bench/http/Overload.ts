/**
 * More requests than a server can answer, sent whether or not the earlier ones were answered: as many times its capacity as
 * asked for, which is measured before. Queries of another caller go on beside them, and health checks.
 */
import { Effect } from "effect"
import { attempted, call } from "../../clients/HttpClient.ts"
import { percentiles } from "../Measurement.ts"
import { type LoadProcess, measure, type Peer, post, rssOf } from "./HttpLoad.ts"

export interface Plan {
  readonly factor: number
  /** The capacity is measured for so long, after as long a warm-up, and then overloaded for so long. */
  readonly capacitySeconds: number
  readonly seconds: number
  readonly connections: number
}

const refusable = { ...post, isRefusable: true }

/** Asks for the same path again and again until it is told to stop. */
const ask = (url: string, path: string) => {
  const over = new AbortController()
  const statuses: Record<number, number> = {}
  const millis: Array<number> = []
  const running = (async () => {
    while (!over.signal.aborted) {
      const began = performance.now()
      const { status } = await attempted(url, "GET", path, {})
      millis.push(performance.now() - began)
      statuses[status] = (statuses[status] ?? 0) + 1
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  })()
  return async () => {
    over.abort()
    await running
    return { statuses, ...percentiles(millis) }
  }
}

const watchMemory = (pid: number) => {
  const series: Array<number> = []
  const timer = setInterval(() => void rssOf(pid).then((rss) => series.push(rss)), 1000)
  return () => {
    clearInterval(timer)
    const half = series.slice(Math.floor(series.length / 2))
    return { first: series[0] ?? Number.NaN, most: Math.max(...series), mostOfSecondHalf: Math.max(...half) }
  }
}

/** So many accepted requests took the server at most so many seconds, by its own clock: the buckets of its histogram. */
const buckets = async ({ adminUrl }: Peer): Promise<ReadonlyArray<readonly [seconds: number, count: number]>> => {
  const { text } = await call(adminUrl ?? "", "GET", "/metrics")
  const lines = text.matchAll(/^http_server_request_duration_seconds_bucket\{([^}]*)\} (\d+)/gm)
  return Array.from(lines).flatMap(([, labels = "", count]) => {
    const isAccepted = ['method="POST"', 'route="/orders"', 'status="202"'].every((label) => labels.includes(label))
    const [, at = ""] = /le="([^"]+)"/.exec(labels) ?? []
    return isAccepted ? [[at === "+Inf" ? Infinity : Number(at), Number(count)] as const] : []
  })
}

/** The upper end of the bucket that holds the 99th percentile of what came between two looks. */
const p99Between = (before: Awaited<ReturnType<typeof buckets>>, after: typeof before): number => {
  const counts = after.map(([at, count], index) => [at, count - (before[index]?.[1] ?? 0)] as const)
  const all = counts.at(-1)?.[1] ?? 0
  return counts.find(([, count]) => count >= 0.99 * all)?.[0] ?? Number.NaN
}

export const run = Effect.fnUntraced(function* (load: LoadProcess, peer: Peer, plan: Plan) {
  const { capacitySeconds: seconds, connections, factor } = plan
  const url = `http://127.0.0.1:${peer.port}`
  yield* measure(load, peer, { parts: [post], connections: 64, seconds })
  const { perSecond: capacity } = yield* measure(load, peer, { parts: [post], connections: 64, seconds })
  const [health, reads, memory] = [ask(url, "/health/ready"), ask(url, "/orders?limit=1"), watchMemory(peer.pid)]
  const rate = capacity * factor
  const before = yield* Effect.promise(() => buckets(peer))
  const under = yield* measure(load, peer, { parts: [refusable], connections, seconds: plan.seconds, rate })
  const rssMiB = memory()
  const serverP99Seconds = p99Between(before, yield* Effect.promise(() => buckets(peer)))
  const [healthChecks, queries] = yield* Effect.promise(() => Promise.all([health(), reads()]))
  const after = yield* measure(load, peer, { parts: [post], connections: 64, seconds })
  return {
    capacity,
    offered: Math.round(rate),
    accepted: under.perSecond,
    goodput: Number((under.perSecond / capacity).toFixed(2)),
    acceptedMillis: under.fromSending,
    serverP99Seconds,
    failed: under.failed,
    refused: under.refused,
    refusedP99: under.refusedP99,
    late: under.late,
    healthChecks,
    queries,
    rssMiB,
    after: Number((after.perSecond / capacity).toFixed(2))
  }
})
