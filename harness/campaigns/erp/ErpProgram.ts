/** The consumers of docs/integrating.md as processes, which follow a server and are killed at a step of their own. */
import { spawn } from "node:child_process"
import { readFile, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { filesIn } from "../../fixtures/Programs.ts"
import { root } from "../../fixtures/Readme.ts"
import type { Environment } from "../../servers/ServerProcess.ts"

/** The programs of the document: the names of their files, and their code. */
export const files = async () => filesIn(await readFile(join(root, "docs", "integrating.md"), "utf8"))

/** Writes the programs into a folder, from where they find the packages of this repository. */
export const write = async (folder: string): Promise<void> => {
  await symlink(join(root, "node_modules"), join(folder, "node_modules"))
  for (const [name, code] of await files()) await writeFile(join(folder, name), code)
}

export interface Ended {
  readonly signal: NodeJS.Signals | null
  /** What it printed on both streams; a program that bears a fault says so. */
  readonly output: string
}

export interface Running {
  readonly kill: () => void
  readonly ended: Promise<Ended>
}

/** Starts a program; with `CRASH_AT` it kills itself at that step. */
export const start = (file: string, settings: Environment): Running => {
  const crashes = join(import.meta.dirname, "CrashPoints.ts")
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", "--import", crashes, file], {
    env: { PATH: process.env.PATH, ...settings },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let output = ""
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (bytes: Buffer) => (output += bytes.toString()))
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject)
    child.once("close", (_, signal) => resolve({ signal, output }))
  })
  return { kill: () => void child.kill("SIGKILL"), ended }
}

/** Something that the ERP did for a version of an order. */
export interface Work {
  readonly orderId: string
  readonly version: number
  readonly what: string
}

/** Reads all that the ERP has done, in that order; nothing if it has not made its database yet. */
export const workIn = (file: string): ReadonlyArray<Work> => {
  const db = new DatabaseSync(file, { timeout: 60_000 })
  try {
    const isMade = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'work'").get()
    if (isMade === undefined) return []
    const rows = db.prepare("SELECT order_id, version, what FROM work ORDER BY rowid").all()
    return rows.map(({ order_id, version, what }) => ({
      orderId: String(order_id),
      version: Number(version),
      what: String(what)
    }))
  } finally {
    db.close()
  }
}
