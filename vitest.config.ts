import { join } from "node:path"
import { defineConfig } from "vitest/config"
import { LongestFirst } from "./harness/vitest/LongestFirst.ts"
import { reportEnteredFiles } from "./harness/walk/EnteredFiles.ts"

// Servers, scripts and workers that tests start compile the same files; with this, all but the first take half the CPU to start.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "node_modules", ".cache", "node-compile-cache")

// A test only ends for being too slow when it hangs: each promise about time is asserted in the test itself, on a clock
// that stands still while the machine does.
const patience = { testTimeout: 900_000, hookTimeout: 900_000 }

/** Files of these levels keep nothing in modules, so those of one worker share them: loading them takes a second or two. */
const shared = { isolate: false, setupFiles: ["harness/vitest/FailedSeed.ts"] }

/** Tests that need databases share one real PostgreSQL, and a new embedded database of which they start copies. */
const databases = {
  ...shared,
  globalSetup: ["harness/vitest/PostgresServer.ts", "harness/vitest/PgliteDump.ts"],
  setupFiles: [...shared.setupFiles, "harness/vitest/SharedInitdb.ts"]
}

/** Examples import the package by its name, which here means its sources (see `exports` in package.json). */
const ssr = { resolve: { conditions: ["ordinal-source", "module", "node", "development|production"] } }

const level = (name: string, options: object) => ({
  ssr,
  test: { name, include: [`test/${name}/**/*.test.ts`], ...patience, ...options }
})

export default defineConfig({
  test: {
    // Tests wait for a third of their time, so three files keep two cores busy.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    projects: [
      level("unit", shared),
      level("integration", databases),
      level("system", databases),
      { ...level("walk", { ...databases, isolate: true }), plugins: [reportEnteredFiles()] },
      level("ci", databases)
    ]
  }
})
