/** `node scripts/campaigns/webhooks.ts [--quick]`: a receiver of webhooks that is disturbed 1,000 times, under load. */
import { run } from "../../harness/campaigns/Webhooks.ts"
import { report } from "../../harness/judges/Verdict.ts"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"

const plan = process.argv.includes("--quick")
  ? { disturbances: 40, killEvery: 20, clients: 3, pause: 20 }
  : { disturbances: 1_000, killEvery: 50, clients: 4, pause: 20 }

const postgres = await PostgresServer.start()
try {
  const { faults, ...figures } = await run({ ...plan, databaseUrl: postgres.url })
  report({ campaign: "webhooks", ...plan, ...figures }, faults)
} finally {
  await postgres.stop()
}
