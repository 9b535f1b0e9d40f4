/** `node scripts/campaigns/idempotency.ts [--quick]`: equal requests with one key over two servers that are killed and restarted. */
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"
import { report } from "../../harness/judges/Verdict.ts"
import { run } from "../../harness/campaigns/TwinRequests.ts"

const quick = process.argv.includes("--quick")
const plan = quick ? { twins: 100, rounds: 1, killed: 2 } : { twins: 100, rounds: 10, killed: 10 }
const postgres = await PostgresServer.start()
try {
  const { faults, ...figures } = await run({ ...plan, databaseUrl: postgres.url })
  report({ campaign: "idempotency", ...plan, ...figures }, faults)
} finally {
  await postgres.stop()
}
