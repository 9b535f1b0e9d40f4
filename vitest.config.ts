import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/support/PostgresServer.ts"],
    maxWorkers: 2,
    testTimeout: 40_000,
    hookTimeout: 60_000
  }
})
