/** Starts the processes that send the load and the servers that are compared, and measures the processor's time. */
import { Effect } from "effect"
import { execFile, fork } from "node:child_process"
import { copyFile, mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { call } from "../../clients/HttpClient.ts"
import { until } from "../../clocks/Until.ts"
import { ada, mug, placement } from "../../fixtures/Shop.ts"
import { connect } from "../../servers/FreshDatabase.ts"
import * as ServerProcess from "../../servers/ServerProcess.ts"
import type { Load, LoadResult, Part } from "./LoadProcess.ts"

const here = import.meta.dirname
const quiet = ["--disable-warning=ExperimentalWarning"]

export interface Peer {
  readonly port: number
  readonly pid: number
  readonly stop: () => Promise<unknown>
  /** The port for operators, of a server of ours. */
  readonly adminUrl?: string
}

/** Keeps what was started until the scope ends. */
export const running = <A extends { readonly stop: () => Promise<unknown> }>(started: () => Promise<A>) =>
  Effect.acquireRelease(Effect.promise(started), ({ stop }) => Effect.promise(stop))

/** Starts a program that sends its port once it listens. */
const startPeer = async (program: string, env: NodeJS.ProcessEnv = {}) => {
  const child = fork(program, { execArgv: quiet, env: { ...process.env, ...env } })
  const port = await new Promise<number>((resolve, reject) => {
    child.once("message", (message) => resolve(Number(message)))
    child.once("exit", (code) => reject(new Error(`${program} ended with code ${code} before it listened.`)))
  })
  const stop = async () => void child.kill("SIGKILL")
  return { port, pid: child.pid!, stop, send: (message: string) => void child.send(message) }
}

/** `send` gives it the text that it answers `GET /list` with. */
export const startBare = () => startPeer(join(here, "BareServer.ts"))

const emmettVersion = "0.42.0"
const emmettPackages = [
  `@event-driven-io/emmett@${emmettVersion}`,
  `@event-driven-io/emmett-postgresql@${emmettVersion}`,
  "@event-driven-io/pongo@0.16.11",
  "@event-driven-io/dumbo@0.12.7",
  "express@4",
  "pg@8",
  "uuid",
  "pg-connection-string",
  "ansis",
  "async-retry"
]
const cache = join(here, "..", "..", "..", "node_modules", ".cache")

/** The folder in which Emmett and Express are installed, once for all runs. */
const emmettFolder = async () => {
  const installed = join(cache, `ordinal-bench-emmett-${emmettVersion}`)
  const isThere = () =>
    readFile(join(installed, "package.json")).then(
      () => true,
      () => false
    )
  if (await isThere()) return installed
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, "installing-"))
  const install = ["install", "--silent", "--no-audit", "--legacy-peer-deps", "--prefix", folder]
  await promisify(execFile)("npm", [...install, ...emmettPackages], { cwd: folder })
  // Another run may have been faster, and its folder is as good.
  await rename(folder, installed).catch(() => rm(folder, { recursive: true, force: true }))
  return installed
}

/** Starts Emmett behind Express on this database. */
export const startEmmett = async (databaseUrl: string): Promise<Peer> => {
  const program = join(await emmettFolder(), "EmmettServer.mjs")
  await copyFile(join(here, "EmmettServer.mjs"), program)
  return startPeer(program, { DATABASE_URL: databaseUrl })
}

const tea = { name: "Tea", unitPrice: 700, currency: "EUR", taxBps: 1900 }

/** Starts our server as its own process, with what is needed to order. */
export const startOrdinal = async (
  databaseUrl: string,
  settings: ServerProcess.Environment = {},
  runtime: ReadonlyArray<string> = ServerProcess.node
): Promise<Peer> => {
  const { adminUrl, kill, pid, stop, url } = await ServerProcess.start(
    { DATABASE_URL: databaseUrl, ...settings },
    runtime
  )
  const saved = await Promise.all([
    call(url, "PUT", "/products/mug", { body: mug }),
    call(url, "PUT", "/products/tea", { body: tea }),
    call(url, "PUT", "/customers/ada", { body: ada })
  ])
  if (saved.every(({ status }) => status === 202)) {
    return { port: Number(new URL(url).port), pid, stop, adminUrl }
  }
  await kill()
  throw new Error(`The catalog is not saved: ${saved.map(({ text }) => text).join("\n")}`)
}

const lines = [
  { productId: "mug", quantity: 2 },
  { productId: "tea", quantity: 1 }
]

/** Places an order of two lines. */
export const post: Part = {
  name: "post",
  method: "POST",
  path: "/orders",
  body: JSON.stringify(placement({ lines })),
  status: 202,
  orderIds: 1
}

/** Lists so many orders of a customer, newest first. */
export const list: Part = {
  name: "list",
  method: "GET",
  path: "/orders?customerId=ada&limit=20",
  status: 200,
  orderIds: 20
}

/** Waits until the view has enough orders for the list, and returns the list as it is sent. */
export const awaitList = ({ port }: Peer): Promise<string> =>
  until(
    async () => (await call(`http://127.0.0.1:${port}`, list.method, list.path)).text,
    (text) => text.split('"orderId":"').length === 21,
    { what: "A list of 20 orders", pause: 10 }
  )

/** Starts a process that sends loads. */
export const startLoad = () => {
  const child = fork(join(here, "LoadProcess.ts"), { execArgv: quiet })
  return {
    run: (load: Load): Promise<LoadResult> =>
      new Promise((resolve, reject) => {
        const ended = (code: number | null) => reject(new Error(`The load's process ended with code ${code}.`))
        child.once("exit", ended)
        child.once("message", (result: LoadResult | { readonly error: string }) => {
          child.off("exit", ended)
          if ("error" in result) reject(new Error(result.error))
          else resolve(result)
        })
        child.send(load)
      }),
    stop: async () => void child.kill("SIGKILL")
  }
}

export type LoadProcess = ReturnType<typeof startLoad>

export interface HttpRound extends LoadResult {
  /** CPU of the server's process for one request, all threads; `NaN` where Linux's /proc is missing. */
  readonly cpuMicros: number
}

/** Sends a load to a server. An answer that is not as it must be is a defect: errors are no throughput. */
export const measure = (process: LoadProcess, { pid, port }: Peer, load: Omit<Load, "port">) =>
  Effect.promise(async (): Promise<HttpRound> => {
    const before = await cpuMicrosOf(pid)
    const result = await process.run({ port, ...load })
    return { ...result, cpuMicros: Math.round(((await cpuMicrosOf(pid)) - before) / result.answers) }
  })

/** Places orders until there are so many, or a few more, which warms the server up as well; the number placed. */
export const fill = Effect.fnUntraced(function* (process: LoadProcess, peer: Peer, orders: number, seconds: number) {
  let placed = 0
  while (placed < orders) {
    placed += (yield* measure(process, peer, { parts: [post], connections: 64, seconds })).answers
  }
  return placed
})

/** The tables of events, each with a row per event that has the order's id after `order-`. */
export const eventTables = { ordinal: "ordinal.events", emmett: "emt_messages" }

/** So many ids of orders, chosen at random, and the number of all orders, as they are stored. */
export const storedOrders = Effect.fnUntraced(function* (url: string, table: string, limit: number) {
  const sql = yield* connect(url)
  const orders = `SELECT DISTINCT substr(stream_id, 7) AS id FROM ${table} WHERE stream_id LIKE 'order-%'`
  const found = yield* sql.unsafe<{ readonly id: string; readonly all: number }>(
    `SELECT id, count(*) OVER ()::float8 AS all FROM (${orders}) AS orders ORDER BY random() LIMIT ${limit}`
  )
  return { ids: found.map(({ id }) => id), count: found[0]?.all ?? 0 }
}, Effect.scoped)

/** Returns the microseconds of processor time that a process has used; `NaN` where Linux's /proc is missing. */
const cpuMicrosOf = async (pid: number): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  // Fields 14 and 15, user and system time, are in ticks of 10 ms on every Linux that Node runs on.
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/** Returns the memory of a process in MiB, as the operating system counts it (RSS); `NaN` where Linux's /proc is missing. */
export const rssOf = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "")
  return Math.round(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024)
}
