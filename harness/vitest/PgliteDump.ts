/**
 * Vitest's global set-up: a new embedded database, as a file of which databases in memory start as copies, and as a
 * directory that a process can be given a copy of.
 */
import { PGlite } from "@electric-sql/pglite"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestProject } from "vitest/node"
import { oncePerRun } from "./OncePerRun.ts"

declare module "vitest" {
  interface ProvidedContext {
    readonly pgliteDump: string
    readonly pgliteDirectory: string
  }
}

const make = async () => {
  const root = await mkdtemp(join(tmpdir(), "ordinal-pglite-dump-"))
  const [file, directory] = [join(root, "data.tar"), join(root, "database")]
  await mkdir(directory)
  const database = await PGlite.create(join(directory, "data"))
  const dump = await database.dumpDataDir("none")
  await database.close()
  await writeFile(file, Buffer.from(await dump.arrayBuffer()))
  return { value: { file, directory }, stop: () => rm(root, { recursive: true, force: true }) }
}

export default async function setup(project: TestProject) {
  const { release, value } = await oncePerRun("pglite", make)
  project.provide("pgliteDump", value.file)
  project.provide("pgliteDirectory", value.directory)
  return release
}
