/** Vitest's global set-up: a new embedded database as a file, of which tests start copies. */
import { PGlite } from "@electric-sql/pglite"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestProject } from "vitest/node"

declare module "vitest" {
  interface ProvidedContext {
    readonly pgliteDump: string
  }
}

export default async function setup(project: TestProject) {
  const directory = await mkdtemp(join(tmpdir(), "ordinal-pglite-dump-"))
  const database = await PGlite.create()
  const dump = await database.dumpDataDir("none")
  await database.close()
  const file = join(directory, "data.tar")
  await writeFile(file, Buffer.from(await dump.arrayBuffer()))
  project.provide("pgliteDump", file)
  return () => rm(directory, { recursive: true, force: true })
}
