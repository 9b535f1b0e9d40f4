/**
 * `node scripts/campaigns/rolling-restarts.ts [--quick]`: 50 rolling restarts of two servers on one PostgreSQL under load, after
 * which no command is stored that was not answered.
 */
import { run } from "../../harness/campaigns/RollingRestarts.ts"
import { report } from "../../harness/judges/Verdict.ts"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"

const plan = process.argv.includes("--quick") ? { rolls: 2, clients: 8 } : { rolls: 50, clients: 32 }

const postgres = await PostgresServer.start()
try {
  const { faults, ...figures } = await run({ ...plan, databaseUrl: postgres.url })
  report({ campaign: "rolling-restarts", ...plan, ...figures }, faults)
} finally {
  await postgres.stop()
}
