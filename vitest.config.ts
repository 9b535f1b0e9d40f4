import { defineConfig } from "vitest/config"

// Only ends what hangs. What is promised about time is asserted, on a clock that stands still while the machine does.
const patience = { testTimeout: 900_000, hookTimeout: 900_000 }

/** What needs databases: one real PostgreSQL for the whole run, and a new embedded database as a file to copy. */
const databases = {
  globalSetup: ["harness/vitest/PostgresServer.ts", "harness/vitest/PgliteDump.ts"],
  setupFiles: ["harness/vitest/SharedInitdb.ts"]
}

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], ...patience } },
      { test: { name: "integration", include: ["test/integration/**/*.test.ts"], ...patience, ...databases } },
      { test: { name: "system", include: ["test/system/**/*.test.ts"], ...patience, ...databases } }
    ]
  }
})
