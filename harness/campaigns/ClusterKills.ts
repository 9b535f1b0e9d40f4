/**
 * Two nodes of a cluster that own slices, and one that only sends, under load. The owners are killed, stopped and paused one
 * after the other, and come back; a third one joins and goes; and all are restarted in turn. Each goes on when every slice has
 * a living owner again. Nothing may be lost or there twice, and nobody may wait for long at the node that only sends.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { attempted, fillCatalog, orderId, slug } from "../clients/HttpClient.ts"
import { now } from "../clocks/RunningTime.ts"
import { untilSo } from "../clocks/Until.ts"
import * as ClusterProcess from "../cluster/ClusterProcess.ts"
import { placement } from "../fixtures/Shop.ts"
import { judgeRecording } from "../judges/HotOrdersJudge.ts"
import * as ViewJudge from "../judges/ViewJudge.ts"
import { logFaults, open, type Sql, storedEvents } from "../servers/Sql.ts"
import * as HotOrders from "./HotOrders.ts"

export interface Plan {
  readonly databaseUrl: string
  readonly rounds: number
  readonly clients: number
  readonly orders: number
  readonly seed: number
}

const disturbances = ["kill", "stop", "join", "rolling restart", "pause"] as const

/** The slices of `effect/cluster` are spread over so many parts, each of which one session has locked. */
const parts = 300
/** The measured commands of each kind; those at the right and at the wrong node take turns. */
const measured = 200

/** Waits until so many nodes own all parts, and so the slices. */
const ownedBy = (sql: Sql, owners: number): Promise<void> =>
  untilSo(
    async () => {
      const held = await sql.rows<{ readonly parts: number }>(
        `SELECT count(*)::integer AS parts FROM pg_locks
         WHERE locktype = 'advisory' AND objsubid = 2 AND granted
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
         GROUP BY pid`
      )
      return held.length === owners && held.reduce((sum, { parts }) => sum + parts, 0) === parts
    },
    { what: `${owners} owners of all slices`, pause: 50 }
  )

/** So many orders get lines at the node that only sends, in turn. */
const probedTogether = 50

const line = { productId: "mug", quantity: 1 }

const draft = async (url: string) => {
  const order = orderId()
  await attempted(url, "POST", "/orders", { body: placement({ orderId: order, confirm: false }) })
  return order
}

/**
 * Times commands at the only owner, which has the order in memory, and at the node that sends them on to it, in turn.
 */
const timeWays = async (right: string, wrong: string) => {
  const ways = {
    right: { url: right, millis: [] as Array<number> },
    wrong: { url: wrong, millis: [] as Array<number> }
  }
  const order = await draft(right)
  for (let time = 0; time < measured; time++) {
    for (const { millis, url } of Object.values(ways)) {
      const began = now()
      const { status } = await attempted(url, "POST", `/orders/${order}/lines`, { body: line })
      if (status !== 202) throw new Error(`A measured command was answered ${status}.`)
      millis.push(now() - began)
    }
  }
  return { right: ways.right.millis, wrong: ways.wrong.millis }
}

/**
 * Adds lines to orders at one node, one after the other and without a key, and notes how long each took. A command that was done
 * twice shows as a line too many.
 */
const startProbe = (url: string) => {
  const over = new AbortController()
  const failures: Array<string> = []
  /** Those that get lines now are the last ones. */
  const orders: Array<string> = []
  let [longest, count] = [0, 0]
  const running = (async () => {
    for (; !over.signal.aborted; count++) {
      // No order may have very many lines.
      if (count % (probedTogether * 100) === 0) {
        for (let more = 0; more < probedTogether; more++) orders.push(await draft(url))
      }
      const began = now()
      const order = orders.at(-1 - (count % probedTogether))!
      const answer = await attempted(url, "POST", `/orders/${order}/lines`, { body: line })
      longest = Math.max(longest, now() - began)
      if (answer.status !== 202) {
        failures.push(`a command at the node that only sends was answered ${answer.status} ${slug(answer)}`)
      }
      await sleep(5)
    }
  })()
  return {
    failures,
    orders,
    /** The longest that a command took since this was asked last. */
    longest: () => {
      const milliseconds = Math.round(longest)
      longest = 0
      return milliseconds
    },
    count: () => count,
    /** Waits for one more answer. */
    more: () => {
      const before = count
      return untilSo(() => count > before, { what: "An answer at the node that only sends" })
    },
    stop: async () => {
      over.abort()
      await running
    }
  }
}

/** Milliseconds for a node to end in good order. */
const longestEnd = 60_000

export const run = async ({ clients, databaseUrl, orders, rounds, seed }: Plan) => {
  const sql = open(databaseUrl)
  const nodes: Array<ClusterProcess.ClusterProcess> = []
  const waits: Record<string, Array<number>> = {}
  try {
    for (const isOwner of [true, true, false]) nodes.push(await ClusterProcess.start(databaseUrl, isOwner))
    const owners = nodes.filter(({ isOwner }) => isOwner)
    const sender = nodes.at(-1)!
    await fillCatalog(sender.url)
    await ownedBy(sql, 2)
    const unended: Array<string> = []
    const stop = async (node: ClusterProcess.ClusterProcess, when: string) => {
      const isEnded = await Promise.race([node.stop().then(() => true), sleep(longestEnd, false, { ref: false })])
      if (isEnded) return
      unended.push(`a node did not end within ${longestEnd} ms (${when})`)
      await node.kill()
    }
    let isOver = false
    const urls = nodes.map(({ url }) => url)
    const recording = HotOrders.run({ urls, isKeyed: true, orders, clients, isEnough: () => isOver, seed })
    recording.catch(() => {})
    const probe = startProbe(sender.url)
    for (let round = 0; round < rounds * disturbances.length; round++) {
      const disturbance = disturbances[round % disturbances.length]!
      const owner = owners[round % owners.length]!
      probe.longest()
      if (disturbance === "join") {
        const third = await ClusterProcess.start(databaseUrl, true)
        nodes.push(third)
        await ownedBy(sql, 3)
        await stop(third, disturbance)
      } else if (disturbance === "rolling restart") {
        for (const each of owners) {
          await stop(each, disturbance)
          await each.restart()
          await ownedBy(sql, 2)
        }
      } else if (disturbance === "pause") {
        process.kill(owner.pid(), "SIGSTOP")
        await ownedBy(sql, 1)
        process.kill(owner.pid(), "SIGCONT")
      } else {
        await (disturbance === "stop" ? stop(owner, disturbance) : owner.kill())
        await ownedBy(sql, 1)
        await owner.restart()
      }
      await ownedBy(sql, 2)
      await probe.more()
      ;(waits[disturbance] ??= []).push(probe.longest())
    }
    isOver = true
    await probe.stop()
    const recorded = await recording
    await stop(owners[1]!, "the end")
    await ownedBy(sql, 1)
    const ways = await timeWays(owners[0]!.url, sender.url)
    await ViewJudge.caughtUp(sql)
    const judged = judgeRecording(recorded)
    const stored = await storedEvents(sql)
    const view = await ViewJudge.judge(sql)
    const isProbed = new Set(probe.orders.map((order) => `order-${order}`))
    const added = stored.filter(({ stream, type }) => isProbed.has(stream) && type === "LineAdded").length
    if (added !== probe.count()) probe.failures.push(`${probe.count()} commands added ${added} lines`)
    const faults = [...judged.faults, ...unended, ...probe.failures, ...logFaults(stored), ...view.faults]
    return {
      faults,
      events: stored.length,
      hot: recorded.attempts.length,
      accepted: judged.accepted,
      repeats: recorded.attempts.reduce((sum, { repeats }) => sum + repeats, 0),
      probed: probe.count(),
      waits,
      ways
    }
  } finally {
    for (const node of nodes) await node.kill()
    await sql.close()
  }
}
