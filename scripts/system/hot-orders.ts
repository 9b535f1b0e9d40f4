/** `node scripts/system/hot-orders.ts [--quick]`: two servers on one PostgreSQL, many clients on the same orders. */
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"
import { report } from "../../harness/judges/Verdict.ts"
import { fillCatalog } from "../../harness/clients/HttpClient.ts"
import { run } from "../../harness/campaigns/HotOrders.ts"
import { judgeRecording } from "../../harness/judges/HotOrdersJudge.ts"
import { start } from "../../harness/servers/ServerProcess.ts"
import { logFaults, open, storedEvents } from "../../harness/servers/Sql.ts"

const seconds = process.argv.includes("--quick") ? 10 : 120
const postgres = await PostgresServer.start()
const servers = [await start({ DATABASE_URL: postgres.url }), await start({ DATABASE_URL: postgres.url })]
const sql = open(postgres.url)
try {
  await fillCatalog(servers[0]!.url)
  const seed = Date.now() % 1_000_000
  const urls = servers.map((server) => server.url)
  const end = performance.now() + seconds * 1_000
  const recording = await run({ urls, orders: 20, clients: 32, isEnough: () => performance.now() > end, seed })
  const { faults, ...judgement } = judgeRecording(recording)
  const all = [...faults, ...logFaults(await storedEvents(sql))]
  report({ campaign: "hot-orders", seed, seconds, attempts: recording.attempts.length, ...judgement }, all)
} finally {
  await sql.close()
  await Promise.all(servers.map((server) => server.stop()))
  await postgres.stop()
}
