/**
 * Two servers that share a cache, which is killed, paused and flushed again and again while orders are written and read. No read may be
 * answered by anything but the order, and none older than its token, than what was acknowledged to whoever has that token, or
 * than what the same server has answered before.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { call } from "../clients/HttpClient.ts"
import * as OrderLoad from "../clients/OrderLoad.ts"
import { untilSo } from "../clocks/Until.ts"
import { seeded } from "../fixtures/SeededRandom.ts"
import { type ServerProcess, start } from "../servers/ServerProcess.ts"
import * as RedisServer from "../services/RedisServer.ts"

export interface Plan {
  readonly databaseUrl: string
  /** So often the cache is killed and started again; in between it is paused and flushed. */
  readonly restarts: number
  readonly clients: number
  readonly readers: number
  readonly pause: number
  readonly seed: number
  /** So many reads are answered before each disturbance, and so many while it lasts. */
  readonly reads: number
}

export interface Report {
  readonly faults: ReadonlyArray<string>
  readonly restarts: number
  readonly flushes: number
  readonly pauses: number
  readonly reads: number
  readonly commands: number
  /** Reads of one order by what the cache did, of both servers. */
  readonly outcomes: Readonly<Record<string, number>>
}

/** Reads of one order by what the cache did. */
export const outcomes = async ({ adminUrl }: ServerProcess): Promise<Readonly<Record<string, number>>> => {
  const { text } = await call(adminUrl, "GET", "/metrics")
  const found = text.matchAll(/^orders_cache_reads_total\{[^}]*outcome="(\w+)"[^}]*\} (\d+)/gm)
  return Object.fromEntries([...found].map(([, name, count]) => [name, Number(count)]))
}

const positionOf = (token: string | null) => Number.parseInt(token ?? "", 10) || 0

/** Reads orders that were written lately, with a token and without one in turn. */
const reader = (servers: ReadonlyArray<ServerProcess>, load: OrderLoad.Load, draw: () => number) => {
  const faults: Array<string> = []
  const over = new AbortController()
  const told = servers.map(() => ({ position: 0, versions: new Map<string, number>() }))
  let reads = 0
  const read = async (turn: number) => {
    const which = turn % servers.length
    const seen = told[which]!
    const recent = load.acknowledged.slice(-100)
    const receipt = recent[Math.floor(draw() * recent.length)]
    if (receipt === undefined) return sleep(10)
    const token = turn % 4 < 2 ? load.token() : ""
    const least = Math.max(seen.position, positionOf(token))
    const acknowledged = receipt.position <= positionOf(token) ? receipt.version : 0
    const known = Math.max(acknowledged, seen.versions.get(receipt.orderId) ?? 0)
    const headers = token === "" ? {} : { "consistency-token": token, prefer: "wait=30" }
    const path = `/orders/${receipt.orderId}`
    const answer = await call(servers[which]!.url, "GET", path, { headers }).catch(String)
    reads += 1
    if (typeof answer === "string") return void faults.push(`${path}: no answer: ${answer}`)
    const [position, version] = [positionOf(answer.headers.get("consistency-token")), Number(answer.body?.version ?? 0)]
    if (answer.status !== 200)
      return void faults.push(`${path}: answered ${answer.status} ${answer.text.slice(0, 200)}`)
    if (answer.body.orderId !== receipt.orderId) faults.push(`${path}: answered ${answer.body.orderId}`)
    if (position < least)
      faults.push(`${path}: answered position ${position}, but ${least} was demanded or told before`)
    if (version < known)
      faults.push(`${path}: answered version ${version}, but ${known} was acknowledged or told before`)
    seen.position = Math.max(seen.position, position)
    seen.versions.set(receipt.orderId, Math.max(version, seen.versions.get(receipt.orderId) ?? 0))
    return undefined
  }
  const running = (async () => {
    for (let turn = Math.floor(draw() * 8); !over.signal.aborted; turn++) await read(turn)
  })()
  return {
    faults,
    reads: () => reads,
    stop: async () => {
      over.abort()
      await running
    }
  }
}

/** Two servers, and a cache of their own, until `close`. */
export const run = async (plan: Plan): Promise<Report> => {
  const draw = seeded(plan.seed)
  const cache = await RedisServer.start()
  const servers: Array<ServerProcess> = []
  try {
    for (let index = 0; index < 2; index++) {
      servers.push(await start({ DATABASE_URL: plan.databaseUrl, CACHE: cache.url, COMMAND_DEADLINE: "60 seconds" }))
    }
    await OrderLoad.fill(servers[0]!.url)
    const load = OrderLoad.start({
      urls: () => servers.map(({ url }) => url),
      clients: plan.clients,
      pause: plan.pause
    })
    const readers = Array.from({ length: plan.readers }, () => reader(servers, load, draw))
    const reads = () => readers.reduce((sum, reader) => sum + reader.reads(), 0)
    const untilRead = async () => {
      const target = reads() + plan.reads
      await untilSo(() => reads() >= target, { what: "Reads" })
    }
    const counted = async () => {
      const found = await Promise.all(servers.map(outcomes))
      const names = [...new Set(found.flatMap(Object.keys))]
      return Object.fromEntries(names.map((name) => [name, found.reduce((sum, of) => sum + (of[name] ?? 0), 0)]))
    }
    /** Waits until reads have met the cache so, once more. */
    const untilCounted = async (outcome: string) => {
      const before = (await counted())[outcome] ?? 0
      const isMore = async () => ((await counted())[outcome] ?? 0) > before
      await untilSo(isMore, { what: `A read that meets the cache as ${outcome}`, pause: 20 })
    }
    let [flushes, pauses] = [0, 0]
    await untilCounted("hit")
    for (let restart = 0; restart < plan.restarts; restart++) {
      await untilRead()
      const kind = draw()
      if (kind < 0.3) {
        await cache.command("FLUSHALL")
        flushes += 1
        await untilRead()
      } else if (kind < 0.5) {
        cache.pause()
        pauses += 1
        await untilRead()
        cache.resume()
      }
      await cache.kill()
      // At once, in the middle of reads, or after many of them; the first time, once a read has found it gone.
      const isAtOnce = draw() >= 0.7
      if (restart === 0) await untilCounted("away")
      if (!isAtOnce) await untilRead()
      await cache.restart()
    }
    await cache.command("FLUSHALL")
    flushes += 1
    await untilCounted("hit")
    await Promise.all([load.stop(), ...readers.map(({ stop }) => stop())])
    return {
      faults: [...readers.flatMap(({ faults }) => faults), ...load.faults],
      restarts: plan.restarts,
      flushes,
      pauses,
      reads: reads(),
      commands: load.acknowledged.length,
      outcomes: await counted()
    }
  } finally {
    await Promise.all(servers.map(({ kill }) => kill()))
    await cache.close()
  }
}
