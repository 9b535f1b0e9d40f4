/**
 * Places orders while the only broker works and while it hangs (SIGSTOP), in turn, with the publisher on in both: callers must
 * not notice. The lag has to show meanwhile, and to go away once the broker is back.
 */
import { call } from "../../clients/HttpClient.ts"
import { now } from "../../clocks/RunningTime.ts"
import { untilSo } from "../../clocks/Until.ts"
import * as HttpLoad from "../../bench/http/HttpLoad.ts"
import type { LoadResult } from "../../bench/http/LoadProcess.ts"
import { spread, type Spread } from "../../bench/Measurement.ts"
import * as OrderLoad from "../../clients/OrderLoad.ts"
import { placement } from "../../fixtures/Shop.ts"
import { start } from "../../servers/ServerProcess.ts"
import type { KafkaCluster } from "../../services/KafkaCluster.ts"

export interface Plan {
  readonly databaseUrl: string
  readonly topic: string
  readonly rounds: number
  readonly seconds: number
  /** Orders a second; without it as many as the server can place for so many connections. */
  readonly rate?: number
  readonly connections: number
  readonly progress: (line: string) => void
}

interface Rounds {
  readonly perSecond: Spread
  readonly p99: Spread
}

export interface Report {
  readonly faults: ReadonlyArray<string>
  readonly healthy: Rounds
  readonly hanging: Rounds
  /** The most events that waited for the broker, and the longest time in milliseconds until none did. */
  readonly lag: number
  readonly healed: number
}

const post = { ...HttpLoad.post, body: JSON.stringify(placement({ customerId: OrderLoad.customer })) }

const roundsOf = (results: ReadonlyArray<LoadResult>): Rounds => ({
  perSecond: spread(results.map(({ perSecond }) => perSecond)),
  p99: spread(results.map(({ p99 }) => p99))
})

export const run = async (cluster: KafkaCluster, plan: Plan): Promise<Report> => {
  const { connections, databaseUrl, progress, rate, rounds, seconds, topic } = plan
  const server = await start({
    DATABASE_URL: databaseUrl,
    KAFKA_BOOTSTRAP: cluster.bootstrap,
    KAFKA_TOPIC: topic,
    KAFKA_PARTITIONS: "6"
  })
  const load = HttpLoad.startLoad()
  /** The lag as operators see it. */
  const lagOf = async () => {
    const { text } = await call(server.adminUrl, "GET", "/metrics")
    return Number(
      new RegExp(`^orders_projection_lag_events\\{projection="publish-${topic}"\\} (\\d+)`, "m").exec(text)?.[1]
    )
  }
  const healed = () => untilSo(async () => (await lagOf()) === 0, { what: "A lag of 0", pause: 50 })
  const place = () =>
    load.run({
      port: Number(new URL(server.url).port),
      parts: [post],
      connections,
      seconds,
      ...(rate === undefined ? {} : { rate })
    })
  const results: Record<"healthy" | "hanging", Array<LoadResult>> = { healthy: [], hanging: [] }
  let [lag, longest] = [0, 0]
  const faults: Array<string> = []

  const hanging = async () => {
    cluster.pause(cluster.brokers[0]!)
    try {
      const result = await place()
      const shown = await lagOf()
      lag = Math.max(lag, shown)
      if (shown < result.answers / 2)
        faults.push(`${shown} events wait, after ${result.answers} orders without a broker`)
      return result
    } finally {
      cluster.resume(cluster.brokers[0]!)
    }
  }

  try {
    await OrderLoad.fill(server.url)
    await place()
    await healed()
    for (let round = 0; round < rounds; round++) {
      for (const state of round % 2 === 0 ? (["healthy", "hanging"] as const) : (["hanging", "healthy"] as const)) {
        const result = state === "healthy" ? await place() : await hanging()
        const over = now()
        await healed()
        if (state === "hanging") longest = Math.max(longest, Math.round(now() - over))
        results[state].push(result)
        progress(`${state}: ${Math.round(result.perSecond)} a second, p99 ${result.p99} ms`)
      }
    }
    const [healthy, away] = [roundsOf(results.healthy), roundsOf(results.hanging)]
    // A difference counts if it is more than 5 %, and more than the rounds differ among themselves.
    const least = Math.min(healthy.perSecond.median * 0.95, healthy.perSecond.min)
    const most = Math.max(healthy.p99.median * 1.05, healthy.p99.max)
    if (away.perSecond.median < least) faults.push(`the rate falls to ${away.perSecond.median} while the broker hangs`)
    if (away.p99.median > most) faults.push(`p99 rises to ${away.p99.median} ms while the broker hangs`)
    return { faults, healthy, hanging: away, lag, healed: longest }
  } finally {
    await load.stop()
    await server.kill()
  }
}
