/** Databases, directories and servers of a system test, which are removed or stopped when the test ends. */
import { cp, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, inject, onTestFinished } from "vitest"
import { type Environment, type Launch, start } from "./ServerProcess.ts"
import * as Sql from "./Sql.ts"

/** The URL of a new, empty PostgreSQL database. */
export const freshDatabase = async (): Promise<string> => {
  const { drop, url } = await Sql.freshDatabase(inject("postgresUrl"))
  onTestFinished(drop)
  return url
}

export const sql = (url: string): Sql.Sql => {
  const opened = Sql.open(url)
  onTestFinished(opened.close)
  return opened
}

export const directory = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), "ordinal-system-"))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

/** A new embedded database that is made already, since to make one takes a process seconds. */
export const embeddedDatabase = async (): Promise<string> => {
  const path = await directory()
  await cp(inject("pgliteDirectory"), path, { recursive: true })
  return `pglite:${path}`
}

/** More than a machine is ever held up. */
const patient = { COMMAND_DEADLINE: "60 seconds" }

/** Gives no command up unless the settings say when. */
export const server = async (settings: Environment, runtime?: ReadonlyArray<string>) => {
  const started = await start({ ...patient, ...settings }, runtime)
  onTestFinished(async () => void (await started.kill()))
  return started
}

/** Waits for its end; what it said on stderr, as one line. */
export const refusal = async ({ child, errors, exit }: Launch): Promise<string> => {
  onTestFinished(() => void child.kill("SIGKILL"))
  const { code } = await exit
  assert.isNumber(code, "it was killed")
  assert.notStrictEqual(code, 0)
  const lines = errors().trim().split("\n")
  assert.deepStrictEqual(lines.slice(0, -1), ["ERROR"], `more than one sentence: ${errors()}`)
  return lines.at(-1)!.trim()
}
