/** `node scripts/system/projectors.ts [--quick]`: kill -9 of the process that makes the order view, under load. */
import { spread } from "../../harness/bench/Measurement.ts"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"
import { report } from "../../harness/judges/Verdict.ts"
import { run } from "../../harness/campaigns/ProjectorKills.ts"

const plan = process.argv.includes("--quick")
  ? { kills: 3, clients: 4, pause: 10 }
  : { kills: 50, clients: 8, pause: 10 }

const postgres = await PostgresServer.start()
try {
  const { faults, takeOvers, ...figures } = await run({ ...plan, databaseUrl: postgres.url })
  report({ campaign: "projectors", ...plan, ...figures, takeOverMillis: spread(takeOvers) }, faults)
} finally {
  await postgres.stop()
}
