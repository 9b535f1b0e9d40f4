/**
 * `node scripts/campaigns/slow-clients.ts [--quick]`: 1,000 connections of clients who send byte by byte or take no answers,
 * beside 200 normal ones, whose p99 must stay below twice what it is without the slow ones.
 */
import { run } from "../../harness/campaigns/SlowClients.ts"
import { report } from "../../harness/judges/Verdict.ts"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"

const sizes = { slow: 1_000, normal: 200, rate: 200 }
const plan = process.argv.includes("--quick")
  ? { ...sizes, rounds: 2, seconds: 5, orders: 500 }
  : { ...sizes, rounds: 5, seconds: 60, orders: 5_000 }

const postgres = await PostgresServer.start()
try {
  const { faults, ...figures } = await run({ ...plan, databaseUrl: postgres.url })
  report({ campaign: "slow-clients", ...plan, ...figures }, faults)
} finally {
  await postgres.stop()
}
