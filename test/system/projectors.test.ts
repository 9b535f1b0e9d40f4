import { assert, it } from "vitest"
import { run } from "../../harness/campaigns/ProjectorKills.ts"
import { freshDatabase } from "../../harness/servers/Resources.ts"

it("a standby takes the order view over when its maker is killed, and nothing is skipped or applied twice", async () => {
  const { acknowledged, faults, takeOvers } = await run({
    databaseUrl: await freshDatabase(),
    kills: 2,
    clients: 4,
    pause: 10
  })
  assert.deepStrictEqual(faults, [])
  assert.lengthOf(takeOvers, 2)
  // The view moves before each kill and after it, so there was a load.
  assert.isAbove(acknowledged, 0)
})
