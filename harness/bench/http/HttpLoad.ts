/** Starts the process that sends the load and the servers that are compared, and measures the processor's time. */
import { execFile, fork } from "node:child_process"
import { copyFile, mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import type { Load, LoadResult } from "./LoadProcess.ts"

const here = import.meta.dirname
const quiet = ["--disable-warning=ExperimentalWarning"]

export interface Peer {
  readonly port: number
  readonly pid: number
  readonly stop: () => Promise<void>
}

/** Starts a program that sends its port once it listens. */
const startPeer = async (program: string, env: NodeJS.ProcessEnv = {}): Promise<Peer> => {
  const child = fork(program, { execArgv: quiet, env: { ...process.env, ...env } })
  const port = await new Promise<number>((resolve, reject) => {
    child.once("message", (message) => resolve(Number(message)))
    child.once("exit", (code) => reject(new Error(`${program} ended with code ${code} before it listened.`)))
  })
  const stop = async () => void child.kill("SIGKILL")
  return { port, pid: child.pid!, stop }
}

export const startBare = () => startPeer(join(here, "BareServer.ts"))

const emmettPackages = [
  "@event-driven-io/emmett@0.42.0",
  "@event-driven-io/emmett-postgresql@0.42.0",
  "@event-driven-io/pongo@0.16.11",
  "@event-driven-io/dumbo@0.12.7",
  "express@4",
  "pg@8",
  "uuid",
  "pg-connection-string",
  "ansis",
  "async-retry"
]

/** Installs Emmett and Express into a folder of their own and starts them on this database. */
export const startEmmett = async (databaseUrl: string): Promise<Peer> => {
  const folder = await mkdtemp(join(tmpdir(), "ordinal-bench-"))
  const program = join(folder, "EmmettServer.mjs")
  await copyFile(join(here, "EmmettServer.mjs"), program)
  const install = ["install", "--silent", "--no-audit", "--legacy-peer-deps", "--prefix", folder]
  await promisify(execFile)("npm", [...install, ...emmettPackages], { cwd: folder })
  const peer = await startPeer(program, { DATABASE_URL: databaseUrl })
  return {
    ...peer,
    stop: async () => {
      await peer.stop()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** Starts the process that sends the load. */
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

/** Returns the microseconds of processor time that a process has used; `undefined` where Linux's /proc is missing. */
export const cpuMicrosOf = async (pid: number): Promise<number | undefined> => {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined)
  if (stat === undefined) return undefined
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  // Fields 14 and 15, user and system time, are in ticks of 10 ms on every Linux that Node runs on.
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}
