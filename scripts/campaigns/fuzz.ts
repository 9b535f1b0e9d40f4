/**
 * `node scripts/campaigns/fuzz.ts [--quick]`: 100,000 hostile requests (2,000 with --quick) to a server of its own on
 * PostgreSQL. `SEED=…` sends those of an earlier run again, one at a time if `CONCURRENCY=1`.
 */
import { readFileSync } from "node:fs"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"
import { fillCatalog } from "../../harness/clients/HttpClient.ts"
import { start } from "../../harness/servers/ServerProcess.ts"
import { logFaults, open, storedEvents } from "../../harness/servers/Sql.ts"
import { report } from "../../harness/judges/Verdict.ts"
import { run } from "../../harness/campaigns/hostile/HostileCampaign.ts"

const requests = process.argv.includes("--quick") ? 2_000 : 100_000
const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000)
const concurrency = Number(process.env["CONCURRENCY"] ?? 16)

const memory = (pid: number) => {
  const [, kilobytes = "0"] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? []
  return Math.round(Number(kilobytes) / 1024)
}

const postgres = await PostgresServer.start()
const server = await start({ DATABASE_URL: postgres.url })
const sql = open(postgres.url)
try {
  await fillCatalog(server.url)
  const { faults, ...figures } = await run({ url: server.url, requests, seed, concurrency })
  const errors = server
    .output()
    .split("\n")
    .filter((line) => /\] (?:ERROR|FATAL)/.test(line))
  const events = await storedEvents(sql)
  const all = [...faults, ...errors, ...logFaults(events)]
  const rssMiB = process.platform === "linux" ? memory(server.pid) : undefined
  const { code } = await server.stop()
  if (code !== 0) all.push(`the server ended with ${code}`)
  report({ campaign: "fuzz", seed, requests, ...figures, events: events.length, rssMiB }, all)
} finally {
  await server.kill()
  await sql.close()
  await postgres.stop()
}
