/**
 * A real server that Ordinal can use beside PostgreSQL: fetched once by an ordinary package client, started on loopback,
 * stopped again. Everything is kept below one folder, so that removing it removes all.
 */
import { execFile, spawn } from "node:child_process"
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { promisify } from "node:util"

export interface Service {
  readonly name: string
  /** The setting that names the running server, as in `KAFKA_BOOTSTRAP`. */
  readonly setting: string
  /** Fetches the server into the folder, unless it is there. */
  install(folder: string): Promise<void>
  /** Starts it, unless it runs, and gives the value of `setting`. It listens on loopback, or where `host` says. */
  up(
    folder: string,
    options: { readonly port?: number | undefined; readonly brokers: number; readonly host?: string }
  ): Promise<string>
  /** Stops it; what it has stored goes too. */
  down(folder: string): Promise<void>
}

/** The folder in which the service of that name is kept. */
export const folderOf = (name: string): string =>
  join(process.env["SERVICES_DIR"] ?? join(import.meta.dirname, "../../.services"), name)

const execute = promisify(execFile)

/** Runs a program to its end; fails with its last lines. */
export const run = async (program: string, args: ReadonlyArray<string>, cwd: string): Promise<string> => {
  try {
    return (await execute(program, [...args], { cwd, maxBuffer: 64 << 20 })).stdout
  } catch (error) {
    const { code, stderr = "", stdout = "" } = error as { code?: unknown; stderr?: string; stdout?: string }
    if (code === "ENOENT") throw new Error(`${program} is not on the PATH; install it first.`, { cause: error })
    const output = `${stdout}${stderr}`.trim().split("\n").slice(-8).join("\n")
    throw new Error(`${program} ${args[0]} failed:\n${output}`, { cause: error })
  }
}

const pidFile = (folder: string, name: string) => join(folder, `${name}.pid`)

/** Gives the process of that name, if it runs. */
export const pidOf = (folder: string, name: string): number | undefined => {
  if (!existsSync(pidFile(folder, name))) return undefined
  const pid = Number(readFileSync(pidFile(folder, name), "utf8"))
  try {
    process.kill(pid, 0)
    // A process that has ended and that nobody has waited for still has a number.
    const stat = existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, "utf8") : ""
    return stat.includes(") Z ") ? undefined : pid
  } catch {
    return undefined
  }
}

/** Starts a program that goes on when this one ends; its output goes to `<name>.log`. */
export const start = (folder: string, name: string, program: string, args: ReadonlyArray<string>): void => {
  if (pidOf(folder, name) !== undefined) return
  mkdirSync(folder, { recursive: true })
  const log = openSync(join(folder, `${name}.log`), "a")
  const child = spawn(program, [...args], { cwd: folder, detached: true, stdio: ["ignore", log, log] })
  child.on("error", () => {})
  if (child.pid === undefined) throw new Error(`${program} can't be started; is it installed?`)
  writeFileSync(pidFile(folder, name), String(child.pid))
  child.unref()
}

/** Ends a process, by force if it does not end by itself, and waits until it is gone. */
export const stop = async (folder: string, name: string): Promise<void> => {
  for (let tries = 0; ; tries++) {
    const pid = pidOf(folder, name)
    if (pid === undefined) break
    if (tries % 100 === 0) process.kill(pid, tries < 200 ? "SIGTERM" : "SIGKILL")
    await sleep(100)
  }
  rmSync(pidFile(folder, name), { force: true })
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1")
    const end = (is: boolean) => () => {
      socket.destroy()
      resolve(is)
    }
    socket.on("connect", end(true)).on("error", end(false))
  })

/** Waits until something listens on the port; fails with the end of the log if the process ends before. */
export const listening = async (folder: string, name: string, port: number): Promise<void> => {
  while (!(await answers(port))) {
    if (pidOf(folder, name) === undefined) {
      const log = readFileSync(join(folder, `${name}.log`), "utf8")
        .trim()
        .split("\n")
        .slice(-8)
      throw new Error(`${name} did not start:\n${log.join("\n")}`)
    }
    await sleep(50)
  }
}
