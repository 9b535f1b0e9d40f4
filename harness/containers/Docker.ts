/** The Docker engine: builds the image of this repository and runs containers of it as their operators should. */
import { execFile, spawnSync } from "node:child_process"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { until } from "../clocks/Until.ts"
import { freePorts } from "../servers/FreePort.ts"

const root = join(import.meta.dirname, "..", "..")
const execute = promisify(execFile)

export const docker = async (...args: ReadonlyArray<string>): Promise<string> => {
  const { stderr, stdout } = await execute("docker", [...args], { maxBuffer: 2 ** 26 })
  return args[0] === "logs" ? stdout + stderr : stdout.trim()
}

const base = "node:24-slim"

/** Says why no image can be built here; undefined if one can. */
export const missing = (): string | undefined => {
  const works = (...args: ReadonlyArray<string>) => spawnSync("docker", args).status === 0
  if (!works("info")) return "no Docker engine runs here (apt-get install docker.io; dockerd &)"
  if (!works("image", "inspect", base) && !works("pull", "--quiet", base))
    return `there is no image ${base} (scripts/containers/base-images.sh makes it from Debian's packages)`
  const isReached = works("run", "--rm", "--network", "host", base, "npm", "view", "effect", "version")
  return isReached ? undefined : "no container runs here that reaches npm's registry"
}

/** Builds the image and gives its name. */
export const build = async (tag: string): Promise<string> => {
  const image = `ordinal:${tag}`
  // Docker's older builder is there without plugins.
  await execute("docker", ["build", "--quiet", "--network", "host", "--tag", image, root], { maxBuffer: 2 ** 26 })
  return image
}

export interface Container {
  readonly id: string
  readonly url: string
  readonly output: () => Promise<string>
  /** Waits until its own health check says so. */
  readonly healthy: () => Promise<void>
  /** The bytes of its process that are in memory, and the most that ever were. */
  readonly memory: () => Promise<{ readonly used: number; readonly peak: number }>
  /** Stops it as the engine does, and gives its exit code. */
  readonly stop: () => Promise<number>
  readonly remove: () => Promise<void>
}

/** Nothing can be written and nothing is allowed; what is changed by options comes last. */
const hardened = ["--read-only", "--cap-drop", "all", "--security-opt", "no-new-privileges", "--network", "host"]

/** Starts a server on free ports of this machine, with as much memory as Docker's option says. */
export const start = async (
  image: string,
  memory: string,
  settings: Readonly<Record<string, string>>,
  options: ReadonlyArray<string> = []
): Promise<Container> => {
  const port = await freePorts([0, 1])
  const own = { HOST: "127.0.0.1", PORT: String(port), ADMIN_PORT: String(port + 1), ...settings }
  const given = Object.entries(own).flatMap(([name, value]) => ["--env", `${name}=${value}`])
  const limits = ["--memory", memory, "--memory-swap", memory]
  const health = ["--health-interval", "3s", "--health-timeout", "60s"]
  const id = await docker("run", "--detach", ...hardened, ...limits, ...health, ...given, ...options, image)
  const inspect = (format: string) => docker("inspect", "--format", format, id)
  const output = () => docker("logs", id)
  return {
    id,
    url: `http://127.0.0.1:${port}`,
    output,
    healthy: async () => {
      // A slow machine's container may be unhealthy before it is healthy; one that has ended is neither.
      const state = () => inspect("{{.State.Running}} {{.State.Health.Status}}")
      const isOver = (state: string) => state === "true healthy" || state.startsWith("false")
      if ((await until(state, isOver, { what: "A healthy container", pause: 200 })) === "true healthy") return
      throw new Error(
        `The container has ended (killed for its memory: ${await inspect("{{.State.OOMKilled}}")}):\n${await output()}`
      )
    },
    memory: async () => {
      const status = await readFile(`/proc/${await inspect("{{.State.Pid}}")}/status`, "utf8")
      const bytes = (name: string) => 1_024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1])
      return { used: bytes("VmRSS"), peak: bytes("VmHWM") }
    },
    stop: async () => {
      await docker("stop", "--time", "30", id)
      return Number(await inspect("{{.State.ExitCode}}"))
    },
    remove: async () => void (await docker("rm", "--force", "--volumes", id))
  }
}
