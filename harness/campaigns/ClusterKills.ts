/**
 * Two nodes of a cluster that own slices, and one that only sends, under load. The owners are killed, stopped and paused one
 * after the other, and come back. Nothing may be lost or there twice, and nobody may wait for long at the node that only sends.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { attempted, fillCatalog, orderId, slug } from "../clients/HttpClient.ts"
import { now } from "../clocks/RunningTime.ts"
import * as ClusterProcess from "../cluster/ClusterProcess.ts"
import { placement } from "../fixtures/Shop.ts"
import { judgeRecording } from "../judges/HotOrdersJudge.ts"
import * as ViewJudge from "../judges/ViewJudge.ts"
import { logFaults, open, storedEvents } from "../servers/Sql.ts"
import * as HotOrders from "./HotOrders.ts"

export interface Plan {
  readonly databaseUrl: string
  readonly rounds: number
  readonly clients: number
  readonly orders: number
  readonly seed: number
}

const disturbances = ["kill", "stop", "pause"] as const

/**
 * Adds lines to orders at one node, one after the other and without a key, and notes how long each took. A command that was done
 * twice shows as a line too many.
 */
const startProbe = (url: string, orders: ReadonlyArray<string>) => {
  const over = new AbortController()
  const failures: Array<string> = []
  const body = { productId: "mug", quantity: 1 }
  let [longest, count] = [0, 0]
  const running = (async () => {
    for (; !over.signal.aborted; count++) {
      const began = now()
      const answer = await attempted(url, "POST", `/orders/${orders[count % orders.length]}/lines`, { body })
      longest = Math.max(longest, now() - began)
      if (answer.status !== 202) {
        failures.push(`a command at the node that only sends was answered ${answer.status} ${slug(answer)}`)
      }
      await sleep(5)
    }
  })()
  return {
    failures,
    /** The longest that a command took since this was asked last. */
    longest: () => {
      const milliseconds = Math.round(longest)
      longest = 0
      return milliseconds
    },
    count: () => count,
    stop: async () => {
      over.abort()
      await running
    }
  }
}

export const run = async ({ clients, databaseUrl, orders, rounds, seed }: Plan) => {
  const sql = open(databaseUrl)
  const nodes: Array<ClusterProcess.ClusterProcess> = []
  const waits: Record<string, Array<number>> = {}
  try {
    for (const isOwner of [true, true, false]) nodes.push(await ClusterProcess.start(databaseUrl, isOwner))
    const owners = nodes.filter(({ isOwner }) => isOwner)
    const sender = nodes.at(-1)!
    await fillCatalog(sender.url)
    const probed = Array.from({ length: 50 }, orderId)
    for (const order of probed) {
      await attempted(sender.url, "POST", "/orders", { body: placement({ orderId: order, confirm: false }) })
    }
    let isOver = false
    const urls = nodes.map(({ url }) => url)
    const recording = HotOrders.run({ urls, isKeyed: true, orders, clients, isEnough: () => isOver, seed })
    recording.catch(() => {})
    const probe = startProbe(sender.url, probed)
    for (let round = 0; round < rounds * disturbances.length; round++) {
      const disturbance = disturbances[round % disturbances.length]!
      const owner = owners[round % owners.length]!
      probe.longest()
      if (disturbance === "pause") {
        process.kill(owner.pid(), "SIGSTOP")
        await sleep(3_000)
        process.kill(owner.pid(), "SIGCONT")
      } else {
        await owner[disturbance]()
        await sleep(2_000)
        await owner.restart()
      }
      await sleep(2_000)
      ;(waits[disturbance] ??= []).push(probe.longest())
    }
    isOver = true
    await probe.stop()
    const recorded = await recording
    await ViewJudge.caughtUp(sql)
    const judged = judgeRecording(recorded)
    const stored = await storedEvents(sql)
    const view = await ViewJudge.judge(sql)
    const isProbed = new Set(probed.map((order) => `order-${order}`))
    const added = stored.filter(({ stream, type }) => isProbed.has(stream) && type === "LineAdded").length
    if (added !== probe.count()) probe.failures.push(`${probe.count()} commands added ${added} lines`)
    const faults = [...judged.faults, ...probe.failures, ...logFaults(stored), ...view.faults]
    return {
      faults,
      events: stored.length,
      hot: recorded.attempts.length,
      accepted: judged.accepted,
      repeats: recorded.attempts.reduce((sum, { repeats }) => sum + repeats, 0),
      probed: probe.count(),
      waits
    }
  } finally {
    for (const node of nodes) await node.kill()
    await sql.close()
  }
}
