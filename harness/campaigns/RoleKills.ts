/**
 * Processes with roles behind nginx, under load, of which one after the other is killed: first those for commands, which
 * queries must not notice; then those for queries, which commands must not notice; then the one that makes the views, which
 * neither must notice; then any. In the end nothing that was acknowledged is lost or there twice, each order has one history,
 * and the view is the fold of the log.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { attempted, call, slug } from "../clients/HttpClient.ts"
import * as OrderLoad from "../clients/OrderLoad.ts"
import { untilSo } from "../clocks/Until.ts"
import { now } from "../clocks/RunningTime.ts"
import { seeded } from "../fixtures/SeededRandom.ts"
import { judgeRecording } from "../judges/HotOrdersJudge.ts"
import * as ViewJudge from "../judges/ViewJudge.ts"
import * as NginxServer from "../servers/NginxServer.ts"
import * as RoleProcesses from "../servers/RoleProcesses.ts"
import { logFaults, open, storedEvents } from "../servers/Sql.ts"
import { follow } from "../streams/ResumingFollower.ts"
import * as HotOrders from "./HotOrders.ts"

export interface Plan {
  readonly databaseUrl: string
  /** So many processes of each role. */
  readonly processes: Readonly<Record<"command" | "query" | "projector", number>>
  /** So many kills in each phase. */
  readonly kills: number
  /** So many clients send commands to the same few orders, and as many place orders of their own. */
  readonly clients: number
  readonly orders: number
  readonly seed: number
}

/** These must see no failure while processes of a role are killed. */
type Untouched = "commands" | "queries"

interface Phase {
  readonly name: string
  /** Processes with these roles are killed. */
  readonly roles: ReadonlyArray<string>
  readonly untouched: ReadonlyArray<Untouched>
}

const phases: ReadonlyArray<Phase> = [
  { name: "command", roles: ["command"], untouched: ["queries"] },
  { name: "query", roles: ["query"], untouched: ["commands"] },
  { name: "projector", roles: ["projector"], untouched: ["commands", "queries"] },
  { name: "all", roles: ["command", "query", "projector"], untouched: [] }
]

/** Reads the list and an order, without a token, again and again. */
const startReader = (url: string, orderOf: () => string | undefined) => {
  const over = new AbortController()
  const failures: Array<string> = []
  let reads = 0
  const running = (async () => {
    for (; !over.signal.aborted; reads++) {
      const order = orderOf()
      const path = reads % 2 === 0 || order === undefined ? "/orders?limit=5" : `/orders/${order}`
      const answer = await attempted(url, "GET", path, {})
      if (answer.status !== 200) failures.push(`${answer.status} ${slug(answer)}`.trim())
      await sleep(5)
    }
  })()
  const stop = async () => {
    over.abort()
    await running
  }
  return { failures, reads: () => reads, stop }
}

/** nginx sends nothing to a process that has just failed: what is killed next was not the last one that it sent to. */
const untilUsed = ({ adminUrl, role }: RoleProcesses.RoleProcess) =>
  untilSo(
    async () => {
      const { text } = await call(adminUrl(), "GET", "/metrics")
      return role === "projector" || /^http_server_request_duration_seconds_count\{[^}]*route="\/orders/m.test(text)
    },
    { what: "A request to a process that was started again", pause: 50 }
  )

export const run = async (plan: Plan) => {
  const { clients, databaseUrl, kills, orders, processes, seed } = plan
  const random = seeded(seed)
  const sql = open(databaseUrl)
  const nodes = await RoleProcesses.start(processes, { DATABASE_URL: databaseUrl })
  const nginx = await NginxServer.start(nodes).catch(async (cause: unknown) => {
    await nodes.kill()
    throw cause
  })
  const faults: Array<string> = []
  /** Milliseconds from each kill until the next process answers a command. */
  const gaps: Record<string, Array<number>> = {}
  try {
    await OrderLoad.fill(nginx.url)
    let isOver = false
    const readUrls = [nginx.url, ...nodes.of("query").map(({ url }) => url)]
    const recording = HotOrders.run({
      urls: [nginx.url],
      readUrls,
      isKeyed: true,
      orders,
      clients,
      isEnough: () => isOver,
      seed
    })
    recording.catch(() => {})
    const load = OrderLoad.start({ urls: () => [nginx.url], clients, pause: 10 })
    const reader = startReader(nginx.url, () => load.acknowledged.at(0)?.orderId)
    const followers = (["SSE", "WebSocket"] as const).map((transport) => follow(transport, nginx.url, 0))
    const failed = () => ({ commands: load.later() + load.unanswered(), queries: reader.failures.length })

    await load.nextAcknowledged()
    for (const { name, roles, untouched } of phases) {
      const before = failed()
      for (let round = 0; round < kills; round++) {
        const candidates = nodes.all.filter(({ role }) => roles.includes(role))
        const node = candidates[(round + Math.floor(random() * candidates.length)) % candidates.length]!
        await sleep(random() * 200)
        const killed = now()
        // Every third one is told to stop, as in a rolling update.
        await (round % 3 === 2 ? node.stop() : node.kill())
        await load.nextAcknowledged()
        ;(gaps[name] ??= []).push(Math.round(now() - killed))
        await node.restart()
        await untilUsed(node)
        await load.nextAcknowledged()
      }
      const after = failed()
      for (const those of untouched) {
        const count = after[those] - before[those]
        const example = those === "queries" ? `, the last with ${reader.failures.at(-1)}` : ""
        if (count > 0)
          faults.push(`while processes with the role ${name} were killed, ${count} ${those} failed${example}`)
      }
    }
    isOver = true
    await load.stop()
    await reader.stop()
    const { attempts, ...rest } = await recording
    await ViewJudge.caughtUp(sql)

    const stored = await storedEvents(sql)
    const positions = stored.filter(({ stream }) => stream.startsWith("order-")).map(({ position }) => position)
    for (const follower of followers) {
      await follower.awaitPosition(positions.at(-1) ?? 0)
      await follower.stop()
      const missing = positions.filter((position) => !follower.arrived.has(position))
      if (missing.length > 0) faults.push(`${follower.name} missed ${missing.length} events, as ${missing[0]}`)
      const isSorted = follower.positions.every((position, index, all) => index === 0 || all[index - 1]! < position)
      if (!isSorted) faults.push(`${follower.name} got events twice or in another order`)
    }
    const judged = judgeRecording({ attempts, ...rest })
    const view = await ViewJudge.judge(sql)
    faults.push(...judged.faults, ...view.faults, ...load.faults, ...logFaults(stored))
    faults.push(...(await ViewJudge.acknowledgedFaults(sql, load.acknowledged)))
    return {
      faults,
      events: stored.length,
      orders: view.orders,
      hot: attempts.length,
      accepted: judged.accepted,
      refused: Object.values(judged.refused).reduce((sum, count) => sum + count, 0),
      repeats: attempts.reduce((sum, { repeats }) => sum + repeats, 0),
      acknowledged: load.acknowledged.length,
      unanswered: load.unanswered(),
      later: load.later(),
      reads: reader.reads(),
      failedReads: Object.fromEntries(
        [...Map.groupBy(reader.failures, (answer) => answer)].map(([answer, all]) => [answer, all.length])
      ),
      resumes: followers.map((follower) => follower.resumes()),
      gaps
    }
  } finally {
    await nginx.stop()
    await nodes.kill()
    await sql.close()
  }
}
