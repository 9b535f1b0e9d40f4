import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/PostgresServer.ts", "test/support/PgliteDump.ts"],
    setupFiles: ["test/support/SharedInitdb.ts"],
    maxWorkers: 2,
    // Only ends what hangs. What is promised about time is asserted, on a clock that stands still while the machine does.
    testTimeout: 900_000,
    hookTimeout: 900_000
  }
})
