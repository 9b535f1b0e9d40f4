/**
 * `node scripts/campaigns/transfer.ts [--quick]`: the log of 100,000 orders is exported and imported elsewhere by processes that
 * are killed; each copy must be the same log and serve the same views.
 */
import { run } from "../../harness/campaigns/LogTransfer.ts"
import { report } from "../../harness/judges/Verdict.ts"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"

const plan = process.argv.includes("--quick") ? { orders: 3_000, kills: 3 } : { orders: 100_000, kills: 10 }

const postgres = await PostgresServer.start()
try {
  const seed = Date.now() % 1_000_000
  const { faults, kills, ...figures } = await run({ ...plan, seed, postgresUrl: postgres.url })
  report({ campaign: "transfer", seed, killed: kills, ...figures }, faults)
} finally {
  await postgres.stop()
}
