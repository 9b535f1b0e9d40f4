import { assert, inject, it, onTestFinished } from "vitest"
import { run } from "../../../harness/campaigns/Webhooks.ts"
import { freshDatabase } from "../../../harness/servers/Sql.ts"

it("a receiver that crashes, fails, hangs, dies and is stopped ends with exactly the log, whatever server is killed", async () => {
  const { drop, url } = await freshDatabase(inject("postgresUrl"))
  onTestFinished(drop)
  const plan = { databaseUrl: url, disturbances: 40, killEvery: 20, clients: 3, pause: 20, timeout: "1 second" }
  const { disturbed, faults, kills } = await run(plan)
  assert.deepStrictEqual(faults, [])
  assert.deepStrictEqual(disturbed, { crashed: 8, failing: 8, hanging: 8, dying: 8, paused: 8 })
  assert.strictEqual(kills, 2)
})
