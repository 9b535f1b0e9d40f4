/**
 * Disturbs the environment of two servers under load in many ways, one after the other: after each cure everything has
 * to come back by itself, with nothing parked and nothing lost, and the servers have to have been honest about it.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { call, type Receipt } from "../clients/HttpClient.ts"
import { now } from "../clocks/RunningTime.ts"
import { untilSo } from "../clocks/Until.ts"
import { seeded } from "../fixtures/SeededRandom.ts"
import * as ViewJudge from "../judges/ViewJudge.ts"
import { logFaults as faultsOfLog, storedEvents } from "../servers/Sql.ts"
import * as Disturbances from "./Disturbances.ts"
import { pushFaults, recovery, takeOver } from "./Recovery.ts"
import * as ServerLog from "./ServerLog.ts"
import * as Servers from "./ServersUnderLoad.ts"

export interface Plan extends Servers.Plan {
  readonly seed: number
  /**
   * Chooses from all disturbances of a database, in the order in which they come; the first one comes again after the
   * last.
   */
  readonly choose: (
    all: ReadonlyArray<Disturbances.Disturbance>,
    place: Disturbances.Place
  ) => ReadonlyArray<Disturbances.Disturbance>
  readonly isEnough: (disturbances: number) => boolean
  /** A disturbance lasts so many milliseconds after it was seen. */
  readonly lasts: readonly [least: number, most: number]
  /** A disturbance that nobody has seen after so many milliseconds is not counted. 0: nobody looks. */
  readonly toBeSeen: number
  /** After each of so many disturbances the server that makes the view is killed. */
  readonly takeOverEvery: number
  /** Everything has to be back within so many milliseconds; 30 s by default. */
  readonly allowed?: number
  readonly onProgress?: (line: string) => void
}

export interface Result {
  readonly disturbance: Disturbances.Disturbance
  readonly isCounted: boolean
  /** All was back so many milliseconds after the cure; undefined if it did not come back. */
  readonly back: number | undefined
  readonly faults: ReadonlyArray<string>
}

/** A caller has waited after so many milliseconds without a success. */
const waited = 1_000
/** A server says after so many milliseconds that it waits: the limit of a lock is 2 s, and of a statement 5 s. */
const longWait = 8_000
/** A server has to admit what has been bad for so many milliseconds. */
const toBeAdmitted = 2_000

const lagSeries = /^orders_projection_lag_events\{projection="order-view"\} (\S+)$/m

const ready = (url: string) => call(url, "GET", "/health/ready").then(({ status }) => status === 200)

/**
 * Lists what servers claim to be well though nobody has seen it work since a while ago, at the end of their patience.
 */
const dishonesty = async (
  servers: Servers.ServersUnderLoad,
  since: number,
  viewSince: ViewJudge.Standing | undefined
): Promise<ReadonlyArray<string>> => {
  const faults: Array<string> = []
  for (const { server, url, watched } of servers.servers) {
    const [commands] = watched
    const isReady = await ready(url)
    const isDown = commands !== undefined && commands.lastGood() < since
    if (isReady && isDown) faults.push("a server was ready that took no command")
    const { text } = await call(server.adminUrl, "GET", "/metrics")
    const lag = lagSeries.exec(text)?.[1]
    const view = await ViewJudge.standing(servers.watcher).catch(() => undefined)
    const isStill = viewSince !== undefined && view?.position === viewSince.position && viewSince.head > view.position
    if (isStill && lag === "0") faults.push("a server said that the view has no lag while it stood still")
  }
  if (faults.length === 0 || now() - since > toBeAdmitted) return faults
  await sleep(20)
  return dishonesty(servers, since, viewSince)
}

/** Judges the whole run on one database, whose servers are then at rest. */
const judge = async ({ servers, sql }: Servers.ServersUnderLoad, receipts: ReadonlyArray<Receipt>) => {
  await Promise.all(servers.map(({ stop }) => stop()))
  await ViewJudge.caughtUp(sql)
  const events = await storedEvents(sql)
  const wanted = events.filter(({ stream }) => stream.startsWith("order-")).map(({ position }) => position)
  await Promise.all(servers.map(({ follower }) => follower.awaitPosition(wanted.at(-1)!)))
  const acknowledged = [...receipts, ...servers.flatMap(({ load }) => load.acknowledged)]
  const lost = await ViewJudge.acknowledgedFaults(sql, acknowledged)
  const { faults, orders } = await ViewJudge.judge(sql)
  const pushes = servers.flatMap(({ follower }) => pushFaults(follower, wanted))
  return { acknowledged: acknowledged.length, orders, faults: [...faultsOfLog(events), ...lost, ...faults, ...pushes] }
}

export const run = async (plan: Plan) => {
  const draw = seeded(plan.seed)
  const allowed = plan.allowed ?? 30_000
  const patience = { patience: allowed * 1.5 }
  const results: Array<Result> = []
  const takeOvers: Array<number> = []
  const faults: Array<string> = []
  const totals = { acknowledged: 0, orders: 0 }
  let receipts: Array<Receipt> = []
  let current: Servers.ServersUnderLoad | undefined

  /** Disturbs, waits until that is seen, cures, and waits until all is back. */
  const disturb = async (servers: Servers.ServersUnderLoad, disturbance: Disturbances.Disturbance): Promise<Result> => {
    const { servers: each, sql } = servers
    const found: Array<string> = []
    const [begun, faultsBefore] = [now(), each.map((one) => one.faults().length)]
    const marks = each.map(({ server }) => server.output().length)
    const watched = each.flatMap(({ watched }) => watched)
    const before = new Map(watched.map((one) => [one, one.failures()]))
    const isHit = (channel: Disturbances.Channel) =>
      watched.some(
        (one) =>
          one.channel === channel &&
          (one.failures() > before.get(one)! || now() - Math.max(begun, one.lastGood()) > waited)
      )
    const isSeen = () => {
      const { hits } = disturbance
      return hits.length > 0 ? hits.every(isHit) : watched.some(({ channel }) => isHit(channel))
    }

    const take = async (steps: ReadonlyArray<Disturbances.Step>) => {
      for (const step of steps) await (typeof step === "string" ? sql.rows(step) : step())
    }

    await take(disturbance.begin)
    const during = disturbance.during
    const running = during && sql.rows(Disturbances.duringSession(during)).catch(() => {})
    const isCounted =
      plan.toBeSeen > 0 &&
      (await untilSo(isSeen, { patience: plan.toBeSeen, pause: 20 }).then(
        () => true,
        () => false
      ))
    if (isCounted) {
      const [since, view] = [now(), await ViewJudge.standing(servers.watcher).catch(() => undefined)]
      await sleep(plan.lasts[0] + draw() * (plan.lasts[1] - plan.lasts[0]))
      found.push(...(await dishonesty(servers, since, view)))
    }
    if (during !== undefined) await sql.rows(Disturbances.endDuring)
    await running
    await take(disturbance.cure)

    const cured = now()
    const urls = each.map(({ url }) => url)
    const back = await recovery(
      sql,
      urls,
      each.map(({ follower }) => follower),
      patience
    ).then(
      async ({ commands, pushes, receipts: more, view }) => {
        receipts.push(...more)
        await untilSo(async () => (await Promise.all(urls.map(ready))).every((is) => is), {
          what: "Readiness",
          ...patience
        })
        return Math.round(Math.max(commands, pushes, view, now() - cured))
      },
      (error: Error) => void found.push(`not back: ${error.message}`)
    )
    if (back !== undefined && back > allowed) found.push(`all was back only after ${back} ms`)
    const [parked] = await sql.rows<{ readonly count: number }>(
      "SELECT count(*)::integer AS count FROM ordinal.parked_streams WHERE parked"
    )
    if (parked?.count !== 0) found.push(`${parked?.count} streams are parked`)
    const said = () => each.map(({ server }, index) => ServerLog.linesOf(server.output().slice(marks[index])))
    if (isCounted) {
      const isFailed = watched.some((one) => one.failures() > before.get(one)!)
      const mustBeSaid = isFailed || cured - begun > longWait
      if (mustBeSaid && !said().some(ServerLog.isSaid)) found.push("no server logged it")
      const isOver = () => said().every((lines) => ServerLog.failing(lines).length === 0)
      await untilSo(isOver, { patience: Math.max(0, allowed - (now() - cured)), pause: 50 }).catch(() => {})
      found.push(...said().flatMap((lines) => ServerLog.faults(lines, now() - begun)))
    }
    for (const [fault, { length }] of Map.groupBy(
      each.flatMap((one, index) => one.faults().slice(faultsBefore[index])),
      (fault) => fault.replace(/^ord_\S+ /, "")
    )) {
      found.push(`${length} × ${fault}`)
    }
    return { disturbance, isCounted, back, faults: found }
  }

  const closeCurrent = async (isWhole: boolean) => {
    const closing = current
    current = undefined
    if (closing === undefined) return
    try {
      if (!isWhole) return
      const { faults: more, ...figures } = await judge(closing, receipts)
      faults.push(...more)
      totals.acknowledged += figures.acknowledged
      totals.orders += figures.orders
    } finally {
      receipts = []
      await closing.close()
    }
  }

  try {
    let chosen: ReadonlyArray<Disturbances.Disturbance> = []
    for (let count = 0; !plan.isEnough(count); count++) {
      if (current === undefined) {
        current = await Servers.openServers(plan)
        await Promise.all(current.servers.map(({ load }) => load.nextAcknowledged()))
        chosen = plan.choose(await Disturbances.all(current.sql, current.place), current.place)
      }
      const result = await disturb(current, chosen[count % chosen.length]!)
      results.push(result)
      const { back, disturbance, faults: found, isCounted } = result
      plan.onProgress?.(`${count + 1} ${disturbance.name}: ${isCounted ? `back in ${back} ms` : "not seen"}`)
      faults.push(...found.map((fault) => `${disturbance.name}: ${fault}`))
      for (const fault of found) plan.onProgress?.(`  ${fault}`)
      // What is not back, or parked, would be found again after each of the others.
      if (found.some((fault) => /^not back|parked/.test(fault))) await closeCurrent(false)
      else if (count % plan.takeOverEvery === plan.takeOverEvery - 1) {
        const millis = await takeOver(current, patience.patience)
        takeOvers.push(millis)
        if (millis > allowed) faults.push(`a take-over came only after ${millis} ms`)
      }
    }
    await closeCurrent(true)
  } finally {
    await closeCurrent(false)
  }
  return { results, takeOvers, faults, ...totals }
}
