import { assert, it } from "vitest"
import { run } from "../../../harness/campaigns/RebuildsCampaign.ts"
import { freshDatabase } from "../../../harness/servers/Resources.ts"

it("nobody who reads from either of two servers sees anything of rebuilds under load, and each is as one from nothing", async () => {
  const { compared, faults, seconds } = await run({
    databaseUrl: await freshDatabase(),
    rebuilds: 2,
    clients: 4,
    pause: 10,
    commands: 200,
    compare: 50
  })
  assert.deepStrictEqual(faults, [])
  assert.lengthOf(seconds, 2)
  assert.isAbove(compared, 20)
})
