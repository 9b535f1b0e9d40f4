/**
 * `node scripts/campaigns/push.ts [--quick]`: clients of the event streams whose connections are cut, a crowd under a steady
 * load with some that never read, and many that never read. Server, database, load and clients are processes of their own.
 */
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"
import { report } from "../../harness/judges/Verdict.ts"
import * as PushCampaign from "../../harness/campaigns/push/PushCampaign.ts"
import * as PushPlans from "../../harness/campaigns/push/PushPlans.ts"

const plan = process.argv.includes("--quick") ? PushPlans.quick : PushPlans.full

const postgres = await PostgresServer.start({ shared_buffers: "256MB" })

const act = async (
  name: string,
  setting: Omit<PushCampaign.Setting, "postgres">,
  play: (stage: PushCampaign.Stage) => Promise<{ readonly faults: ReadonlyArray<string> }>
) => {
  const { faults, ...figures } = await PushCampaign.onStage({ postgres: postgres.url, ...setting }, play)
  report({ campaign: "push", act: name, ...figures }, faults)
}

try {
  const { crowd, cuts, deaf } = plan
  await act("resumes", PushPlans.resumes, (stage) => PushCampaign.resumes(stage, cuts))
  await act("crowd", crowd.setting, (stage) => PushCampaign.crowd(stage, crowd.crowd, crowd.bounds))
  await act("deaf", deaf.setting, (stage) => PushCampaign.deaf(stage, deaf.crowd, deaf.bounds))
} finally {
  await postgres.stop()
}
