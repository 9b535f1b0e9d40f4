import { assert, it } from "vitest"
import { run } from "../../../harness/campaigns/TwinRequests.ts"
import { freshDatabase } from "../../../harness/servers/Resources.ts"

it("100 equal requests with one key over two servers are one command with one answer, also after kill -9", async () => {
  const { faults, keys, orders } = await run({ databaseUrl: await freshDatabase(), twins: 100, rounds: 1, killed: 2 })
  assert.deepStrictEqual(faults, [])
  assert.deepStrictEqual([keys, orders], [9, 6])
})
