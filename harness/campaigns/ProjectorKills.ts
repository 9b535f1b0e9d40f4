/**
 * Two servers on one PostgreSQL under load, of which the one that makes the order view is killed, again and again: the
 * other one has to take over, and in the end the view has to be the fold of the log.
 */
import * as OrderLoad from "../clients/OrderLoad.ts"
import { until } from "../clocks/Until.ts"
import { now } from "../clocks/RunningTime.ts"
import { type Environment, type ServerProcess, start } from "../servers/ServerProcess.ts"
import { logFaults, open, type Sql, storedEvents } from "../servers/Sql.ts"
import * as KeptView from "../judges/KeptView.ts"
import * as ViewJudge from "../judges/ViewJudge.ts"

export interface Plan {
  readonly databaseUrl: string
  readonly kills: number
  readonly clients: number
  /** Each client waits so many milliseconds between two commands. */
  readonly pause: number
  /** So many milliseconds may pass until another process has taken over; 5,000 without it. */
  readonly allowed?: number
  /** The order view in the database without it. */
  readonly view?: KeptView.KeptView
}

export interface Report {
  readonly faults: ReadonlyArray<string>
  /** So many milliseconds passed from each kill to the first commit of the view by the other process. */
  readonly takeOvers: ReadonlyArray<number>
  readonly acknowledged: number
  readonly orders: number
}

const isFound = <A>(found: A | undefined): found is A => found !== undefined

/** Finds the server that makes the view: when it began, it logged the name by which the lease knows it. */
export const makerAmong = async (sql: Sql, servers: ReadonlyArray<ServerProcess>, view?: string) => {
  const { owner } = (await ViewJudge.standing(sql, view)) ?? { owner: null }
  const server = owner === null ? undefined : servers.find(({ output }) => output().includes(owner))
  return server === undefined || owner === null ? undefined : { server, owner }
}

export const run = async ({ allowed = 5_000, clients, databaseUrl, kills, pause, view }: Plan): Promise<Report> => {
  const sql = open(databaseUrl)
  const { name, rows, settings: place } = view ?? KeptView.inDatabase(sql)
  const settings: Environment = { DATABASE_URL: databaseUrl, LOG_LEVEL: "info", ...place }
  const standing = () => ViewJudge.standing(sql, name)
  const servers: Array<ServerProcess> = []
  const faults: Array<string> = []
  const takeOvers: Array<number> = []
  try {
    servers.push(await start(settings))
    await OrderLoad.fill(servers[0]!.url)
    servers.push(await start(settings))
    const load = OrderLoad.start({ urls: () => servers.map(({ url }) => url), clients, pause })
    for (let round = 0; round < kills; round++) {
      // What is killed was at work, and is not alone.
      const before = (await standing())?.position ?? 0
      const maker = async () => {
        const at = await standing()
        return at !== undefined && at.position > before ? await makerAmong(sql, servers, name) : undefined
      }
      const { owner, server } = await until(maker, isFound, { what: "A server that makes the view" })
      servers.splice(servers.indexOf(server), 1)
      await server.kill()
      const killed = now()
      const { position = 0 } = (await standing()) ?? {}
      const takenOver = (at: ViewJudge.Standing | undefined) =>
        at !== undefined && at.owner !== owner && at.position > position
      await until(standing, takenOver, { what: "A server that took over" })
      takeOvers.push(Math.round(now() - killed))
      servers.push(await start(settings))
    }
    await load.stop()
    await ViewJudge.caughtUp(sql, name)
    const slow = takeOvers.filter((milliseconds) => milliseconds > allowed)
    faults.push(...slow.map((milliseconds) => `it took the standby ${milliseconds} ms to take over`))
    faults.push(...load.faults, ...logFaults(await storedEvents(sql)))
    faults.push(...(await ViewJudge.acknowledgedFaults(sql, load.acknowledged)))
    const judged = await ViewJudge.judge(sql, rows())
    faults.push(...judged.faults)
    return { faults, takeOvers, acknowledged: load.acknowledged.length, orders: judged.orders }
  } finally {
    await Promise.all(servers.map(({ kill }) => kill()))
    await sql.close()
  }
}
