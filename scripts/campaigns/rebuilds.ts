/** `node scripts/campaigns/rebuilds.ts [--quick]`: rebuilds of the order view under load, and what readers see of them. */
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"
import { report } from "../../harness/judges/Verdict.ts"
import { run } from "../../harness/campaigns/RebuildsCampaign.ts"

const plan = process.argv.includes("--quick")
  ? { rebuilds: 2, clients: 4, pause: 10, commands: 200, compare: 50 }
  : { rebuilds: 10, clients: 8, pause: 5, commands: 20_000, compare: 1_000 }

const postgres = await PostgresServer.start()
try {
  const { faults, ...figures } = await run({ ...plan, databaseUrl: postgres.url })
  report({ campaign: "rebuilds", ...plan, ...figures }, faults)
} finally {
  await postgres.stop()
}
