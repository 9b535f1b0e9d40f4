/**
 * `node scripts/campaigns/webhooks.ts [--quick] [--disturbances 1000]`: a receiver of webhooks that is disturbed 1,000 times,
 * under load.
 */
import { parseArgs } from "node:util"
import { run } from "../../harness/campaigns/Webhooks.ts"
import { report } from "../../harness/judges/Verdict.ts"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, disturbances: { type: "string", default: "1000" } }
})

const plan = values.quick
  ? { disturbances: 40, killEvery: 20, clients: 3, pause: 20, timeout: "1 second" }
  : { disturbances: Number(values.disturbances), killEvery: 50, clients: 4, pause: 20, timeout: "250 millis" }

const postgres = await PostgresServer.start()
try {
  const { faults, ...figures } = await run({ ...plan, databaseUrl: postgres.url })
  report({ campaign: "webhooks", ...plan, ...figures }, faults)
} finally {
  await postgres.stop()
}
