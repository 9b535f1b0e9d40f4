/**
 * Vitest's set-up of each test file: an embedded database in memory begins as a copy of one that was made once for the whole
 * run, since making one takes seconds and copying it half of one. Databases in directories and of processes are made anew.
 */
import type { PGlite, PGliteOptions } from "@electric-sql/pglite"
import { openAsBlob } from "node:fs"
import { inject, vi } from "vitest"

vi.mock("@electric-sql/pglite", async (original) => {
  const actual = await original<{ readonly PGlite: typeof PGlite }>()
  const create = async (options: PGliteOptions) =>
    actual.PGlite.create(
      options.dataDir === "memory://" ? { ...options, loadDataDir: await openAsBlob(inject("pgliteDump")) } : options
    )
  return { ...actual, PGlite: { create } }
})
