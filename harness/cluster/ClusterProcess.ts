/** Nodes of a cluster as processes of their own, each with the API on a port that it keeps. */
import { join } from "node:path"
import { freePort } from "../servers/FreePort.ts"
import { type ServerProcess, start as startProcess } from "../servers/ServerProcess.ts"

const runtime = [process.execPath, "--disable-warning=ExperimentalWarning", join(import.meta.dirname, "clusterMain.ts")]

export interface ClusterProcess {
  readonly url: string
  readonly isOwner: boolean
  readonly pid: () => number
  readonly output: () => string
  readonly kill: () => Promise<void>
  readonly stop: () => Promise<void>
  readonly restart: () => Promise<void>
}

export const start = async (databaseUrl: string, isOwner: boolean): Promise<ClusterProcess> => {
  const node: Readonly<Record<string, string>> = isOwner ? { NODE_PORT: String(await freePort()) } : {}
  const settings = { DATABASE_URL: databaseUrl, PORT: String(await freePort()), ...node }
  let current: ServerProcess = await startProcess(settings, runtime)
  return {
    url: current.url,
    isOwner,
    pid: () => current.pid,
    output: () => current.output(),
    kill: async () => void (await current.kill()),
    stop: async () => void (await current.stop()),
    restart: async () => {
      current = await startProcess(settings, runtime)
    }
  }
}
