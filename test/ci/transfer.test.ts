import { assert, inject, it } from "vitest"
import { run } from "../../harness/campaigns/LogTransfer.ts"
import { seed } from "../../harness/fixtures/SeededRandom.ts"

it("a log that is exported and imported by processes that are killed is the same log, with the same views", async () => {
  const { faults, orders } = await run({ postgresUrl: inject("postgresUrl"), orders: 1_000, kills: 3, seed })
  assert.deepStrictEqual(faults, [])
  assert.strictEqual(orders, 1_001)
})
