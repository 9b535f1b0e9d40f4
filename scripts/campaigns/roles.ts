/**
 * `node scripts/campaigns/roles.ts [--quick]`: 3 processes for commands, 2 for queries and 1 for projections on one PostgreSQL,
 * behind nginx as deploy/nginx has it, under load; they are killed one after the other. nginx is that of this machine, or
 * fetched by apt-get.
 */
import { spread } from "../../harness/bench/Measurement.ts"
import { run } from "../../harness/campaigns/RoleKills.ts"
import { report } from "../../harness/judges/Verdict.ts"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"

const processes = { command: 3, query: 2, projector: 1 }
const plan = process.argv.includes("--quick")
  ? { processes, kills: 3, clients: 4, orders: 10 }
  : { processes, kills: 20, clients: 8, orders: 20 }

const postgres = await PostgresServer.start()
try {
  const seed = Date.now() % 1_000_000
  const { faults, gaps, ...figures } = await run({ ...plan, seed, databaseUrl: postgres.url })
  const gapMillis = Object.fromEntries(Object.entries(gaps).map(([name, millis]) => [name, spread(millis)]))
  report({ campaign: "roles", seed, ...plan, ...figures, gapMillis }, faults)
} finally {
  await postgres.stop()
}
