/** Runs small campaigns of `scripts/campaigns/push.ts`: server, database, load and clients in processes of their own. */
import { assert, describe, inject, it } from "vitest"
import * as PushCampaign from "../../../../harness/campaigns/push/PushCampaign.ts"
import * as PushPlans from "../../../../harness/campaigns/push/PushPlans.ts"
import * as PushResumes from "../../../../harness/campaigns/push/PushResumes.ts"
import * as PushShop from "../../../../harness/campaigns/push/PushShop.ts"
import { start } from "../../../../harness/servers/ApiServer.ts"

const { crowd, cuts } = PushPlans.quick

const onStage = <A>(setting: Omit<PushCampaign.Setting, "postgres">, play: (stage: PushCampaign.Stage) => Promise<A>) =>
  PushCampaign.onStage({ postgres: inject("postgresUrl"), ...setting }, play)

describe("clients of event streams", () => {
  it("get everything once, in order, though their connections are cut 100 times", async () => {
    const { events, faults } = await onStage(PushPlans.resumes, (stage) => PushCampaign.resumes(stage, cuts))
    assert.deepStrictEqual(faults, [])
    assert.isAbove(events, 100)
  })

  it("get everything once from a server in memory too, whatever they ask for", async () => {
    const server = await start()
    const shop = await PushShop.make(server.url, { customers: 3, lines: 1 })
    for (const transport of ["SSE", "WebSocket"] as const) {
      const { events, faults } = await PushResumes.run(shop, {
        transport,
        cuts: 10,
        customer: PushShop.customerOf(1),
        seed: 2
      })
      assert.deepStrictEqual(faults, [])
      assert.isAbove(events, 5)
    }
    await server.stop()
  })

  it("each get their slice in a crowd of 75 under 150 commands/s, and those that never read are cut off", async () => {
    const { deafEnded, faults, load, pushes } = await onStage(crowd.setting, (stage) =>
      PushCampaign.crowd(stage, crowd.crowd, crowd.bounds)
    )
    assert.deepStrictEqual(faults, [])
    assert.deepStrictEqual(deafEnded, { 1: 2, 4008: 2 })
    assert.isAbove(pushes, load.sent)
  })
})
