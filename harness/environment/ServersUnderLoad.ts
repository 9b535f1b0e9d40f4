/**
 * Two servers on a database of their own, under load, which they use as a role that owns nothing; and what callers see
 * of them: commands, reads of the view and pushes, at each server, with the last time that each went well.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { randomBytes } from "node:crypto"
import { call, slug } from "../clients/HttpClient.ts"
import * as OrderLoad from "../clients/OrderLoad.ts"
import { now } from "../clocks/RunningTime.ts"
import { freePort } from "../servers/FreePort.ts"
import { type Environment, launch, type ServerProcess, start } from "../servers/ServerProcess.ts"
import { freshDatabase, open, type Sql } from "../servers/Sql.ts"
import { follow, type ResumingFollower } from "../streams/ResumingFollower.ts"
import type { Channel, Place } from "./Disturbances.ts"

export interface Plan {
  /** The superuser's database is at this URL; new ones are made beside it. */
  readonly databaseUrl: string
  /** Each server has so many clients. */
  readonly clients: number
  /** Each client waits so many milliseconds between two commands. */
  readonly pause: number
  /** The servers are given these settings besides. */
  readonly settings?: Environment
}

/** This is one way to use one server. */
export interface Watched {
  readonly channel: Channel
  readonly failures: () => number
  /** This is the last time that it went well, by `RunningTime`. */
  readonly lastGood: () => number
}

export interface ServerUnderLoad {
  server: ServerProcess
  readonly url: string
  readonly load: OrderLoad.Load
  readonly follower: ResumingFollower
  readonly watched: ReadonlyArray<Watched>
  /** These are answers that are neither right nor "later". */
  readonly faults: () => ReadonlyArray<string>
  readonly restart: () => Promise<void>
  readonly stop: () => Promise<void>
}

export interface ServersUnderLoad {
  readonly sql: Sql
  /** Looks at the tables while a disturbance may hold locks on them; it gives up soon. */
  readonly watcher: Sql
  readonly place: Place
  readonly servers: ReadonlyArray<ServerUnderLoad>
  readonly close: () => Promise<void>
}

/** Reads the newest order with the newest token, again and again. */
const reader = (url: string, load: OrderLoad.Load) => {
  const faults: Array<string> = []
  const over = new AbortController()
  let [failures, lastGood] = [0, now()]
  /** The last read that the view was too far behind for found it at this position. */
  let behindAt: unknown
  const read = async () => {
    const order = load.acknowledged.at(-1)?.orderId
    if (order === undefined) return
    const headers = { "consistency-token": load.token(), prefer: "wait=1" }
    const answer = await call(url, "GET", `/orders/${order}`, { headers }).catch(() => undefined)
    // A view that moves is late, as on a machine with too much to do; one that does not stands still.
    const { current } = (answer?.body ?? {}) as { readonly current?: unknown }
    const isLate = current !== undefined && current !== behindAt
    behindAt = current
    if (answer?.status === 200) lastGood = now()
    else if (!isLate) failures += 1
    if (answer !== undefined && answer.status !== 200 && answer.status !== 503) {
      faults.push(`a read was answered ${answer.status} ${slug(answer)}`)
    }
  }
  const running = (async () => {
    for (; !over.signal.aborted; await sleep(100)) await read()
  })()
  const stop = () => {
    over.abort()
    return running
  }
  return { faults, stop, watched: { channel: "views" as const, failures: () => failures, lastGood: () => lastGood } }
}

interface Started {
  readonly server: ServerProcess
  /** Starts it once more, on the same port. */
  readonly begin: () => Promise<ServerProcess>
}

const started = async (settings: Environment): Promise<Started> => {
  const port = { PORT: String(await freePort()) }
  const begin = () => start({ ...settings, ...port })
  return { server: await begin(), begin }
}

const underLoad = (plan: Plan, { begin, server }: Started): ServerUnderLoad => {
  const { url } = server
  const load = OrderLoad.start({ urls: () => [url], clients: plan.clients, pause: plan.pause })
  const follower = follow("SSE", url, 0)
  const reading = reader(url, load)
  const own: ServerUnderLoad = {
    server,
    url,
    load,
    follower,
    watched: [
      {
        channel: "commands",
        failures: () => load.later() + load.unanswered() + load.faults.length,
        lastGood: () => load.acknowledged.at(-1)?.at ?? 0
      },
      reading.watched,
      {
        channel: "pushes",
        failures: follower.resumes,
        lastGood: () => follower.arrived.get(follower.positions.at(-1) ?? 0) ?? 0
      }
    ],
    faults: () => [...load.faults, ...reading.faults],
    restart: async () => {
      await own.server.kill()
      own.server = await begin()
    },
    stop: async () => {
      await Promise.all([load.stop(), reading.stop()])
    }
  }
  return own
}

/** Migrates the database as its owner, and gives the role every right but to own it. */
const prepare = async (url: string, sql: Sql, role: string) => {
  const { exit, output } = launch({ DATABASE_URL: url }, ["migrate"])
  if ((await exit).code !== 0) throw new Error(`The migration failed:\n${output()}`)
  await sql.rows(`CREATE ROLE ${role} LOGIN PASSWORD '${role}'`)
  for (const right of [
    "CREATE ON DATABASE " + new URL(url).pathname.slice(1),
    "USAGE ON SCHEMA ordinal",
    "ALL ON ALL TABLES IN SCHEMA ordinal",
    "ALL ON ALL FUNCTIONS IN SCHEMA ordinal"
  ]) {
    await sql.rows(`GRANT ${right} TO ${role}`)
  }
}

export const openServers = async (plan: Plan): Promise<ServersUnderLoad> => {
  const { drop, url } = await freshDatabase(plan.databaseUrl)
  const sql = open(url)
  const watcher = open(url, { lock_timeout: "500ms" })
  const role = `app_${randomBytes(4).toString("hex")}`
  const servers: Array<ServerUnderLoad> = []
  const close = async () => {
    await Promise.all(servers.map(({ stop }) => stop()))
    await Promise.all(servers.map(({ follower }) => follower.stop()))
    await Promise.all(servers.map(({ server }) => server.kill()))
    await Promise.all([sql.close(), watcher.close()])
    await drop()
    const administration = open(plan.databaseUrl)
    await administration.rows(`DROP ROLE IF EXISTS ${role}`)
    await administration.close()
  }
  try {
    await prepare(url, sql, role)
    const ownUrl = new URL(url)
    ownUrl.username = role
    ownUrl.password = role
    // Audits are due so often that one that has failed says soon that it works again.
    const always = { LOG_LEVEL: "info", LOG_FORMAT: "json", AUDIT_EVERY: "5 seconds" }
    const settings = { DATABASE_URL: ownUrl.href, ...always, ...plan.settings }
    const [first, other] = await Promise.all([started(settings), started(settings)])
    await OrderLoad.fill(first.server.url)
    servers.push(underLoad(plan, first), underLoad(plan, other))
    return { sql, watcher, servers, close, place: { role, database: ownUrl.pathname.slice(1) } }
  } catch (cause) {
    await close()
    throw cause
  }
}
