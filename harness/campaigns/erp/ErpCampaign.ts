/**
 * Systems that follow orders, each in a way of its own, are killed at any of their steps and started again, while
 * clients send commands to two servers, which are killed too, and the order view is rebuilt. In the end each has done
 * everything once.
 */
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { attempted } from "../../clients/HttpClient.ts"
import * as OrderLoad from "../../clients/OrderLoad.ts"
import { until, untilSo } from "../../clocks/Until.ts"
import { seeded } from "../../fixtures/SeededRandom.ts"
import { freePort } from "../../servers/FreePort.ts"
import { type Environment, type ServerProcess, start } from "../../servers/ServerProcess.ts"
import { logFaults, open, type Sql, storedEvents } from "../../servers/Sql.ts"
import * as ViewJudge from "../../judges/ViewJudge.ts"
import * as ErpJudge from "./ErpJudge.ts"
import * as ErpProgram from "./ErpProgram.ts"

export type Way = "polling" | "sse" | "webhooks" | "kafka"

export interface Plan {
  readonly databaseUrl: string
  /** The programs and their databases are kept here. */
  readonly folder: string
  readonly ways: ReadonlyArray<Way>
  /** The brokers that servers publish to; nobody can follow in the way of Kafka without them. */
  readonly kafka?: string
  /** Each of them is killed so many times. */
  readonly crashes: number
  /** So many times a server is killed, and the order view is rebuilt, spread over the crashes of the first way. */
  readonly serverKills: number
  readonly rebuilds: number
  readonly clients: number
  /** Each client waits so many milliseconds between two commands. */
  readonly pause: number
  /** Draws the steps of the crashes. */
  readonly seed: number
}

/** The server is told of a receiver on this machine, and tries it again at once, however often it has failed. */
const webhooks: Environment = {
  WEBHOOKS_ALLOW_HTTP: "true",
  WEBHOOKS_ALLOWED_NETWORKS: "127.0.0.1",
  WEBHOOKS_RETRY_AFTER: "10 millis",
  WEBHOOKS_RETRY_AT_MOST: "50 millis"
}

/** Makes an endpoint, which is told of every event from the first one on; answers the secret of its signatures. */
const endpoint = async (adminUrl: string, url: string): Promise<string> => {
  const body = { url, start: "start" }
  const made = await until(
    () => attempted(adminUrl, "POST", "/admin/webhooks", { body }),
    ({ status }) => status !== 0 && status !== 503,
    { what: "An answer to a webhook's request", pause: 50 }
  )
  if (made.status !== 201) throw new Error(`A webhook was answered ${made.status}: ${made.text}`)
  return made.body.secret
}

/** Two servers on one database, at addresses that stay when a server is killed and started again. */
const servers = async (databaseUrl: string, bus: Environment) => {
  const ports = [String(await freePort()), String(await freePort())]
  const startAt = (port: string) =>
    start({ DATABASE_URL: databaseUrl, PORT: port, HEARTBEAT: "1 second", ...webhooks, ...bus })
  const running: Array<ServerProcess> = []
  for (const port of ports) running.push(await startAt(port))
  let turn = 0
  return {
    urls: running.map(({ url }) => url),
    adminUrl: () => running[(turn + 1) % 2]!.adminUrl,
    killOne: async () => {
      const index = turn++ % 2
      await running[index]!.kill()
      running[index] = await startAt(ports[index]!)
    },
    stop: () => Promise.all(running.map(({ kill }) => kill()))
  }
}

/** Steps of a crash: most are early, and some far enough for whole pages to be dealt with. */
const drawStep = (draw: () => number) => 1 + Math.floor(draw() ** 4 * 600)

/** Runs one ERP, killed so many times at steps that are drawn; `onCrash` is awaited after each. */
const crash = async (
  file: string,
  settings: () => Environment,
  crashes: number,
  draw: () => number,
  onCrash: (number: number) => Promise<void>
): Promise<ReadonlyArray<string>> => {
  for (let number = 1; number <= crashes; number++) {
    const { output, signal } = await ErpProgram.start(file, { ...settings(), CRASH_AT: String(drawStep(draw)) }).ended
    if (signal !== "SIGKILL") return [`${file} ended by itself: ${output}`]
    await onCrash(number)
  }
  return []
}

/** Rebuilds the order view; resolves once no rebuild is under way any more. A server that is asked may be killed, or busy. */
const rebuild = async (adminUrl: () => string): Promise<void> => {
  const ask = (method: string, path: string) => attempted(adminUrl(), method, path, {})
  const asked = await until(
    () => ask("POST", "/admin/projections/order-view/rebuild"),
    ({ status }) => status !== 0 && status !== 503,
    { what: "An answer to a rebuild's request", pause: 50 }
  )
  // One whose answer was lost may be under way.
  if (asked.status !== 202 && asked.status !== 409)
    throw new Error(`A rebuild was answered ${asked.status}: ${asked.text}`)
  await untilSo(
    async () => {
      const { body, status } = await ask("GET", "/admin/rebuilds")
      return status === 200 && body.data.every(({ state }: { readonly state: string }) => state !== "running")
    },
    { what: "The end of a rebuild", pause: 50 }
  )
}

/** The orders as the view has them, in the words of the program that polls. */
const viewOf = async (sql: Sql): Promise<ReadonlyMap<string, string>> => {
  const rows = await sql.rows<{ readonly orderId: string; readonly what: string }>(`
    SELECT order_id AS "orderId", status || ' ' || (document::json -> 'totals' ->> 'total') AS what
    FROM ordinal.order_view ORDER BY order_id`)
  return new Map(rows.map(({ orderId, what }) => [orderId, what]))
}

export const run = async (plan: Plan) => {
  const { clients, crashes, databaseUrl, folder, pause, seed, ways } = plan
  const sql = open(databaseUrl)
  const bus: Environment =
    plan.kafka === undefined ? {} : { KAFKA_BOOTSTRAP: plan.kafka, KAFKA_TOPIC: "erp", KAFKA_PARTITIONS: "6" }
  const { adminUrl, killOne, stop, urls } = await servers(databaseUrl, bus)
  const started: Array<ErpProgram.Running> = []
  try {
    // On a machine that is held up a database may seem to be away.
    const fill = () =>
      OrderLoad.fill(urls[0]!).then(
        () => true,
        () => false
      )
    await untilSo(fill, { what: "The catalog", pause: 50 })
    await ErpProgram.write(folder)
    const load = OrderLoad.start({ urls: () => urls, clients, pause })
    await load.nextAcknowledged()
    const faults: Array<string> = []
    const storeOf = (way: Way) => join(folder, way, "erp.db")
    const port = String(await freePort())
    const secret = ways.includes("webhooks") ? await endpoint(adminUrl(), `http://127.0.0.1:${port}`) : ""
    const settingsOf = (way: Way, draw: () => number): Environment => ({
      ERP_PORT: port,
      ERP_SECRET: secret,
      ORDINAL_URL: urls[Math.floor(draw() * urls.length)]!,
      ERP_FILE: storeOf(way),
      ERP_PAUSE: "10",
      ...bus
    })

    let rebuilds = 0
    let rebuilding = Promise.resolve()
    /** Each is due once so many crashes of the first way were seen. */
    const isDue = (number: number, times: number) =>
      Math.floor((number * times) / crashes) > Math.floor(((number - 1) * times) / crashes)
    const disturb = async (way: Way, number: number) => {
      if (way !== ways[0]) return
      if (isDue(number, plan.serverKills)) await killOne()
      if (!isDue(number, plan.rebuilds)) return
      await rebuilding
      rebuilding = rebuild(adminUrl).catch((cause) => void faults.push(String(cause)))
      rebuilds += 1
    }
    await Promise.all(
      ways.map(async (way, index) => {
        const draw = seeded(seed + index)
        await mkdir(join(folder, way), { recursive: true })
        const file = join(folder, `${way}.ts`)
        faults.push(
          ...(await crash(
            file,
            () => settingsOf(way, draw),
            crashes,
            draw,
            (number) => disturb(way, number)
          ))
        )
      })
    )
    await rebuilding
    await load.stop()
    await ViewJudge.caughtUp(sql)
    const [log, view] = [await ErpJudge.logOf(sql), await viewOf(sql)]

    const done: Record<string, number> = {}
    for (const way of ways) {
      const last = ErpProgram.start(join(folder, `${way}.ts`), { ...settingsOf(way, () => 0), CRASH_AT: "0" })
      started.push(last)
      const judge = () => {
        const work = ErpProgram.workIn(storeOf(way))
        done[way] = work.length
        return way === "polling" ? ErpJudge.lastVersions(log, work, view) : ErpJudge.everyEvent(log, work)
      }
      await untilSo(() => judge().length === 0, { what: `All work of ${way}`, pause: 50 }).catch(() =>
        faults.push(...judge().map((fault) => `${way}: ${fault}`))
      )
      last.kill()
      await last.ended
    }
    const events = await storedEvents(sql)
    faults.push(...load.faults, ...logFaults(events), ...(await ViewJudge.acknowledgedFaults(sql, load.acknowledged)))
    return { faults, crashes: crashes * ways.length, events: events.length, orders: log.size, done, rebuilds }
  } finally {
    for (const { kill } of started) kill()
    await stop()
    await sql.close()
  }
}
