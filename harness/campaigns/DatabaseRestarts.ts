/**
 * Restarts PostgreSQL under two servers that take commands, make the order view, push events and answer reads. Everything
 * has to come back by itself, nothing that was acknowledged may be lost, no push may be left out or come twice, and no
 * read may be older than what its server has let out: a crash takes back what the view committed last.
 */
import { setTimeout as pause } from "node:timers/promises"
import type { Receipt } from "../clients/HttpClient.ts"
import { untilSo } from "../clocks/Until.ts"
import { pushFaults, recovery } from "../environment/Recovery.ts"
import type { PostgresServer } from "../servers/PostgresServer.ts"
import * as FreshReaders from "../clients/FreshReaders.ts"
import * as OrderLoad from "../clients/OrderLoad.ts"
import { follow, type ResumingFollower } from "../streams/ResumingFollower.ts"
import { type ServerProcess, start } from "../servers/ServerProcess.ts"
import { logFaults, open, storedEvents } from "../servers/Sql.ts"
import * as ViewJudge from "../judges/ViewJudge.ts"
import * as LostNotifications from "./LostNotifications.ts"

export interface Restart {
  readonly mode: "fast" | "immediate"
  /** The database is away for so many milliseconds. */
  readonly away: number
}

export interface Plan {
  readonly restarts: ReadonlyArray<Restart>
  readonly clients: number
  /** Each client waits so many milliseconds between two commands. */
  readonly pause: number
  readonly notifications: LostNotifications.Plan
}

/** The design allows so many milliseconds from the moment the database takes connections again. */
const allowed = 10_000
/** A command's deadline, and what an answer may take beyond it on a busy machine. */
const commandAllowed = 5_000 + 5_000

export const run = async (postgres: PostgresServer, { clients, notifications, pause: between, restarts }: Plan) => {
  const sql = open(postgres.url)
  const servers: Array<ServerProcess> = []
  const followers: Array<ResumingFollower> = []
  const faults: Array<string> = []
  const recoveries: Array<{ readonly commands: number; readonly view: number; readonly pushes: number }> = []
  try {
    const settings = { DATABASE_URL: postgres.url }
    servers.push(await start(settings))
    await OrderLoad.fill(servers[0]!.url)
    servers.push(await start(settings))
    const urls = servers.map(({ url }) => url)
    for (const url of urls) followers.push(follow("SSE", url, 0), follow("WebSocket", url, 0))
    const load = OrderLoad.start({ urls: () => urls, clients, pause: between })
    const readers = FreshReaders.start({
      servers: urls.map((url, index) => ({ url, followers: followers.slice(2 * index, 2 * index + 2) })),
      latest: () => load.acknowledged.at(-1),
      token: load.token
    })
    const receipts: Array<Receipt> = []
    for (const [round, { away, mode }] of restarts.entries()) {
      // Whoever is to come back has been there.
      const { position } = await load.nextAcknowledged()
      await Promise.all(followers.map((one) => one.awaitPosition(position)))
      await postgres.halt(mode)
      // Every second one has to come back while the database is away.
      followers.forEach(({ cut }, index) => index % 2 === round % 2 && cut())
      const refused = load.later()
      await untilSo(() => load.later() > refused, { what: "A command that is told to come again later" })
      await pause(away)
      await postgres.resume()
      const { receipts: answered, ...recovered } = await recovery(sql, urls, followers)
      receipts.push(...answered)
      recoveries.push(recovered)
      const slowest = Math.max(recovered.commands, recovered.view, recovered.pushes)
      if (slowest > allowed) faults.push(`after a ${mode} stop and ${away} ms all was back only in ${slowest} ms`)
    }
    await Promise.all([load.stop(), readers.stop()])
    faults.push(...readers.faults)
    if (load.longest() > commandAllowed) faults.push(`a command took ${load.longest()} ms`)
    const { faults: late, receipts: more, ...delays } = await LostNotifications.run(sql, urls, followers, notifications)
    receipts.push(...load.acknowledged, ...more)
    faults.push(...late)

    const { head } = await ViewJudge.caughtUp(sql)
    const events = await storedEvents(sql)
    const wanted = events.filter(({ stream }) => stream.startsWith("order-")).map(({ position }) => position)
    await Promise.all(followers.map((one) => one.awaitPosition(wanted.at(-1)!)))
    for (const follower of followers) faults.push(...pushFaults(follower, wanted))
    faults.push(...load.faults, ...logFaults(events))
    faults.push(...(await ViewJudge.acknowledgedFaults(sql, receipts)))
    const { orders, ...judged } = await ViewJudge.judge(sql)
    faults.push(...judged.faults)
    const most = (of: (one: (typeof recoveries)[number]) => number) => Math.max(0, ...recoveries.map(of))
    return {
      faults,
      events: head,
      orders,
      acknowledged: receipts.length,
      answeredLater: load.later(),
      reads: readers.reads(),
      unanswered: load.unanswered(),
      longestCommandMillis: load.longest(),
      resumes: followers.reduce((sum, { resumes }) => sum + resumes(), 0),
      recoveryMillisMax: {
        commands: most(({ commands }) => commands),
        view: most(({ view }) => view),
        pushes: most(({ pushes }) => pushes)
      },
      ...delays
    }
  } finally {
    await Promise.all(followers.map(({ stop }) => stop()))
    await Promise.all(servers.map(({ kill }) => kill()))
    await sql.close()
  }
}
