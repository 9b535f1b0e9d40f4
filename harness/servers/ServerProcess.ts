/** Runs the server as its own process, as `npm start` does, so that tests can kill it and judge it from outside. */
import { type ChildProcess, spawn } from "node:child_process"
import { join } from "node:path"
import { until } from "../clocks/Until.ts"

const root = join(import.meta.dirname, "..", "..")

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ServerProcess {
  readonly pid: number
  readonly url: string
  /** This is the URL of the port for operators. */
  readonly adminUrl: string
  /** This is all that the server printed so far, on both streams. */
  readonly output: () => string
  readonly exit: Promise<Exit>
  /** kill -9; resolves when it is gone. */
  readonly kill: () => Promise<Exit>
  /** SIGTERM; resolves when it is gone. */
  readonly stop: () => Promise<Exit>
}

export type Environment = Readonly<Record<string, string>>

/** Settings that the caller's own environment may have must not leak into the server under test. */
const inherited = [
  "PATH",
  "HOME",
  "TMPDIR",
  "TEMP",
  "TMP",
  "SystemRoot",
  "DENO_DIR",
  "NODE_EXTRA_CA_CERTS",
  "NODE_COMPILE_CACHE"
]

const environment = (given: Environment): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    inherited.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))
  ),
  NO_COLOR: "1",
  ...given
})

export const node: ReadonlyArray<string> = [
  process.execPath,
  "--disable-warning=ExperimentalWarning",
  join(root, "src", "main.ts")
]

export const deno: ReadonlyArray<string> = [
  join(root, "node_modules", ".bin", "deno"),
  "run",
  "--allow-all",
  join(root, "src", "main.ts")
]

export interface Launch {
  readonly child: ChildProcess
  readonly output: () => string
  /** This is the part of the output that was on stdout. */
  readonly words: () => string
  /** This is the part of the output that was on stderr. */
  readonly errors: () => string
  readonly exit: Promise<Exit>
}

/** Starts it and does not wait for anything. */
export const launch = (
  settings: Environment,
  flags: ReadonlyArray<string> = [],
  runtime: ReadonlyArray<string> = node
): Launch => {
  const [command, ...before] = runtime
  if (command === undefined) throw new Error("no runtime")
  const child = spawn(command, [...before, ...flags], {
    cwd: root,
    env: environment(settings),
    stdio: ["ignore", "pipe", "pipe"]
  })
  let output = ""
  let words = ""
  let errors = ""
  child.stdout.on("data", (bytes: Buffer) => {
    output += bytes.toString()
    words += bytes.toString()
  })
  child.stderr.on("data", (bytes: Buffer) => {
    output += bytes.toString()
    errors += bytes.toString()
  })
  const exit = new Promise<Exit>((resolve, reject) => {
    child.once("error", reject)
    child.once("close", (code, signal) => resolve({ code, signal }))
  })
  return { child, output: () => output, words: () => words, errors: () => errors, exit }
}

const listening = /Listening on (http:\/\/[^\s"]+)/
const administered = /The admin port listens at (http:\/\/[^\s"]+)\/docs/

/** Starts it on free ports and waits until it answers that it is ready. */
export const start = async (settings: Environment, runtime: ReadonlyArray<string> = node): Promise<ServerProcess> => {
  const { child, exit, output } = launch({ PORT: "0", ADMIN_PORT: "0", ...settings }, [], runtime)
  let ended = false
  void exit.then(
    () => (ended = true),
    () => (ended = true)
  )
  const end = (signal: NodeJS.Signals) => async () => {
    child.kill(signal)
    return exit
  }
  const readyUrl = async () => {
    if (ended) throw new Error(`The server did not start:\n${output()}`)
    const url = listening.exec(output())?.[1]
    return url !== undefined && (await isReady(url)) ? url : undefined
  }
  const url = await until(readyUrl, (found) => found !== undefined, { what: "A ready server", pause: 10 }).catch(
    (cause) => {
      child.kill("SIGKILL")
      throw new Error(`The server is not ready:\n${output()}`, { cause })
    }
  )
  const adminUrl = administered.exec(output())?.[1] ?? ""
  return { pid: child.pid ?? -1, url, adminUrl, output, exit, kill: end("SIGKILL"), stop: end("SIGTERM") }
}

const isReady = (url: string) =>
  fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(10_000) }).then(
    async (response) => {
      await response.arrayBuffer()
      return response.ok
    },
    () => false
  )
