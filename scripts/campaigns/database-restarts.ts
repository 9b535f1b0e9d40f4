/**
 * `node scripts/campaigns/database-restarts.ts [--quick]`: PostgreSQL is stopped, in good order and by a crash, under load;
 * then notifications get lost.
 */
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"
import { report } from "../../harness/judges/Verdict.ts"
import { type Plan, type Restart, run } from "../../harness/campaigns/DatabaseRestarts.ts"

/** Both ways in turn. The last is away for longer than a command may take. */
const several = (times: number): ReadonlyArray<Restart> =>
  Array.from({ length: times }, (_, index) => ({
    mode: index % 2 === 0 ? "immediate" : "fast",
    away: index === times - 1 ? 7_000 : (index * 700) % 3_000
  }))

const plan: Plan = process.argv.includes("--quick")
  ? { restarts: several(2), clients: 4, pause: 10, notifications: { commands: 20, pause: 30 } }
  : { restarts: several(20), clients: 8, pause: 5, notifications: { commands: 300, pause: 30 } }

const postgres = await PostgresServer.start()
try {
  const { faults, ...figures } = await run(postgres, plan)
  report({ campaign: "database-restarts", ...plan, restarts: plan.restarts.length, ...figures }, faults)
} finally {
  await postgres.stop()
}
