/**
 * A server that speaks MongoDB's protocol, of a test's or a campaign's own, in a temporary folder, which can be killed, paused
 * and started again. It is the one that `scripts/services install mongodb` has fetched, or is fetched now.
 */
import { mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { freePort } from "../servers/FreePort.ts"
import { mongoDb } from "./MongoDb.ts"
import { pidOf, stop } from "./Service.ts"

const installed = join(process.env["SERVICES_DIR"] ?? join(import.meta.dirname, "../../.services"), "mongodb")

export interface MongoServer {
  /** The URL of a database of this name. */
  readonly url: (database: string) => string
  /** kill -9. */
  readonly kill: () => Promise<void>
  readonly pause: () => void
  readonly resume: () => void
  /** Starts it again, with what it has stored. */
  readonly restart: () => Promise<void>
  readonly close: () => Promise<void>
}

/** Names a database in the URL of a server. */
export const databaseAt = (server: string, database: string): string =>
  server.replace(/^(\w+(?:\+srv)?:\/\/[^/?]+)\/?[^?]*/, `$1/${database}`)

export const start = async (): Promise<MongoServer> => {
  await mongoDb.install(installed)
  const folder = mkdtempSync(join(tmpdir(), "ordinal-mongodb-"))
  symlinkSync(join(installed, "venv"), join(folder, "venv"))
  const port = await freePort()
  const up = () => mongoDb.up(folder, { brokers: 1, port })
  const signal = (name: NodeJS.Signals) => {
    const pid = pidOf(folder, "mongodb")
    if (pid !== undefined) process.kill(pid, name)
  }
  const kill = async () => {
    signal("SIGKILL")
    await stop(folder, "mongodb")
  }
  const close = async () => {
    await kill()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const server = await up()
    return {
      url: (database) => databaseAt(server, database),
      kill,
      pause: () => signal("SIGSTOP"),
      resume: () => signal("SIGCONT"),
      restart: async () => void (await up()),
      close
    }
  } catch (cause) {
    await close()
    throw cause
  }
}
