import { defineConfig } from "vitest/config"
import { reportEnteredFiles } from "./harness/walk/EnteredFiles.ts"

// A test only ends for being too slow when it hangs: each promise about time is asserted in the test itself, on a clock
// that stands still while the machine does.
const patience = { testTimeout: 900_000, hookTimeout: 900_000 }

/** Tests that need databases share one real PostgreSQL, and a new embedded database as a file of which they start copies. */
const databases = {
  globalSetup: ["harness/vitest/PostgresServer.ts", "harness/vitest/PgliteDump.ts"],
  setupFiles: ["harness/vitest/SharedInitdb.ts"]
}

/** Examples import the package by its name, which here means its sources (see `exports` in package.json). */
const ssr = { resolve: { conditions: ["ordinal-source", "module", "node", "development|production"] } }

const level = (name: string, options: object) => ({
  ssr,
  test: { name, include: [`test/${name}/**/*.test.ts`], ...patience, ...options }
})

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      // Unit tests keep nothing in modules, so they share a worker, which loads Effect once.
      level("unit", { isolate: false }),
      level("integration", databases),
      level("system", databases),
      { ...level("walk", databases), plugins: [reportEnteredFiles()] },
      level("ci", databases)
    ]
  }
})
