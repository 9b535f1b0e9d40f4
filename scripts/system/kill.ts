/** `node scripts/system/kill.ts [--quick]`: kill -9 in the middle of placements, on PGlite and on PostgreSQL. */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"
import { report } from "../../harness/judges/Verdict.ts"
import { type Plan, run } from "../../harness/campaigns/KillRounds.ts"
import { logFaults, open, sessionsEnded, storedEvents } from "../../harness/servers/Sql.ts"

const load = { rounds: process.argv.includes("--quick") ? 3 : 20, clients: 8, milliseconds: 1_000 }

const killOn = async (database: string, plan: Plan) => {
  const { faults, ...figures } = await run(plan)
  report({ campaign: "kill", database, rounds: plan.rounds, ...figures }, faults)
}

const directory = await mkdtemp(join(tmpdir(), "ordinal-kill-"))
await killOn("PGlite", { ...load, settings: { DATABASE_URL: `pglite:${directory}` }, needsCatalog: false })
await rm(directory, { recursive: true, force: true })

const postgres = await PostgresServer.start()
const sql = open(postgres.url)
const inspect = async () => {
  await sessionsEnded(sql)
  return logFaults(await storedEvents(sql))
}
await killOn("PostgreSQL", { ...load, settings: { DATABASE_URL: postgres.url }, needsCatalog: true, inspect })
await sql.close()
await postgres.stop()
