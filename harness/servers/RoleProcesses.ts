/**
 * The processes of one backend, each with a role, on one database. A process keeps its port when it is killed and started
 * again, so that whatever stands in front of it finds it there.
 */
import { freePort } from "./FreePort.ts"
import { type Environment, type ServerProcess, start as startProcess } from "./ServerProcess.ts"

export interface RoleProcess {
  /** This is what it has as ROLE. */
  readonly role: string
  readonly url: string
  readonly adminUrl: () => string
  readonly output: () => string
  readonly kill: () => Promise<void>
  readonly stop: () => Promise<void>
  readonly restart: () => Promise<void>
}

export const startOne = async (role: string, settings: Environment): Promise<RoleProcess> => {
  const own = { ...settings, ROLE: role, PORT: String(await freePort()) }
  let current: ServerProcess = await startProcess(own)
  return {
    role,
    url: current.url,
    adminUrl: () => current.adminUrl,
    output: () => current.output(),
    kill: async () => void (await current.kill()),
    stop: async () => void (await current.stop()),
    restart: async () => {
      current = await startProcess(own)
    }
  }
}

/** Starts them all at once; the names of `counts` are values of ROLE, as in `{ command: 3, "query,projector": 1 }`. */
export const start = async (counts: Readonly<Record<string, number>>, settings: Environment) => {
  const roles = Object.entries(counts).flatMap(([role, count]) => Array.from({ length: count }, () => role))
  const started = await Promise.allSettled(roles.map((role) => startOne(role, settings)))
  const all = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []))
  const kill = async () => void (await Promise.all(all.map((one) => one.kill())))
  const failed = started.find((one) => one.status === "rejected")
  if (failed !== undefined) {
    await kill()
    throw failed.reason
  }
  return { all, of: (role: string) => all.filter((one) => one.role === role), kill }
}

export type RoleProcesses = Awaited<ReturnType<typeof start>>
