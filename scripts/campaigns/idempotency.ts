/** `node scripts/campaigns/idempotency.ts [--quick]`: equal requests with one key over two servers that are killed and restarted. */
import * as PostgresServer from "../PostgresServer.ts"
import { run } from "./TwinRequests.ts"

const quick = process.argv.includes("--quick")
const plan = quick ? { twins: 100, rounds: 1, killed: 2 } : { twins: 100, rounds: 10, killed: 10 }
const postgres = await PostgresServer.start()
try {
  const { faults, ...figures } = await run({ ...plan, databaseUrl: postgres.url })
  for (const fault of faults.slice(0, 20)) console.error(fault)
  console.log(JSON.stringify({ campaign: "idempotency", ...plan, ...figures, faults: faults.length }))
  process.exitCode = faults.length === 0 ? 0 : 1
} finally {
  await postgres.stop()
}
