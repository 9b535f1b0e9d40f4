/** `node scripts/campaigns/prices.ts [--quick]`: prices change under placements, on two servers and one PostgreSQL. */
import { run } from "../../harness/campaigns/PriceRaces.ts"
import { judgeRecording } from "../../harness/judges/PriceJudge.ts"
import { report } from "../../harness/judges/Verdict.ts"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"
import { start } from "../../harness/servers/ServerProcess.ts"
import { logFaults, open, storedEvents } from "../../harness/servers/Sql.ts"

const seconds = process.argv.includes("--quick") ? 10 : 120
const postgres = await PostgresServer.start()
const settings = { DATABASE_URL: postgres.url, COMMAND_DEADLINE: "60 seconds" }
const servers = [await start(settings), await start(settings)]
const sql = open(postgres.url)
try {
  const seed = Date.now() % 1_000_000
  const urls = servers.map((server) => server.url)
  const end = performance.now() + seconds * 1_000
  const recording = await run({ urls, sql, clients: 64, isEnough: () => performance.now() > end, seed })
  const { faults, ...judgement } = judgeRecording(recording)
  const all = [...faults, ...logFaults(await storedEvents(sql))]
  report({ campaign: "prices", seed, seconds, attempts: recording.attempts.length, ...judgement }, all)
} finally {
  await sql.close()
  await Promise.all(servers.map((server) => server.stop()))
  await postgres.stop()
}
