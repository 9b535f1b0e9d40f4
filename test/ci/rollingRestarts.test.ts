import { assert, it } from "vitest"
import { run } from "../../harness/campaigns/RollingRestarts.ts"
import { freshDatabase } from "../../harness/servers/Resources.ts"

it("two servers are restarted in turn under load: no command is stored that was not answered, and none answered is lost", async () => {
  const { accepted, faults, restarts } = await run({ databaseUrl: await freshDatabase(), rolls: 2, clients: 6 })
  assert.deepStrictEqual(faults, [])
  assert.strictEqual(restarts, 4)
  assert.isAbove(accepted, 0)
})
