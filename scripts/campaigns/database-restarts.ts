/**
 * `node scripts/campaigns/database-restarts.ts [--quick]`: PostgreSQL is stopped, in good order and by a crash, under load;
 * then notifications get lost.
 */
import * as PostgresServer from "../PostgresServer.ts"
import { type Plan, type Restart, run } from "./DatabaseRestarts.ts"

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
  for (const fault of faults.slice(0, 20)) console.error(fault)
  const restarts = plan.restarts.length
  console.log(JSON.stringify({ campaign: "database-restarts", ...plan, restarts, ...figures, faults: faults.length }))
  process.exitCode = faults.length === 0 ? 0 : 1
} finally {
  await postgres.stop()
}
