/**
 * Vitest's set-up of each test file: a new embedded database of this process begins as a copy of one that was made once for
 * the whole run, since making one takes seconds of the CPU. Databases of other processes are made anew.
 */
import type { PGlite, PGliteOptions } from "@electric-sql/pglite"
import { existsSync, openAsBlob } from "node:fs"
import { cp } from "node:fs/promises"
import { join } from "node:path"
import { inject, vi } from "vitest"

vi.mock("@electric-sql/pglite", async (original) => {
  const actual = await original<{ readonly PGlite: typeof PGlite }>()
  const create = async (options: PGliteOptions) => {
    const { dataDir = "" } = options
    if (dataDir === "memory://") {
      return actual.PGlite.create({ ...options, loadDataDir: await openAsBlob(inject("pgliteDump")) })
    }
    if (!existsSync(dataDir)) await cp(join(inject("pgliteDirectory"), "data"), dataDir, { recursive: true })
    return actual.PGlite.create(options)
  }
  const { defaultStartParams } = actual.PGlite
  return { ...actual, PGlite: { create, defaultStartParams } }
})
