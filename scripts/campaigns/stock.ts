/** `node scripts/campaigns/stock.ts [--quick]`: the example's stock under 64 writers in two processes, on one PostgreSQL. */
import { run } from "../../harness/campaigns/stock/StockCampaign.ts"
import { faultsIn } from "../../harness/judges/StockJudge.ts"
import { report } from "../../harness/judges/Verdict.ts"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"
import { logFaults, open, storedEvents } from "../../harness/servers/Sql.ts"

const attempts = process.argv.includes("--quick") ? 5_000 : 100_000
const postgres = await PostgresServer.start()
const sql = open(postgres.url)
try {
  const seed = Date.now() % 1_000_000
  const figures = await run({ url: postgres.url, sql, processes: 2, writers: 64, attempts, items: 50, seed })
  const all = [...(await faultsIn(sql)), ...logFaults(await storedEvents(sql))]
  report({ campaign: "stock", seed, ...figures }, all)
} finally {
  await sql.close()
  await postgres.stop()
}
