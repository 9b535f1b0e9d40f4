/** `node scripts/system/projectors.ts [--quick]`: kill -9 of the process that makes the order view, under load. */
import * as PostgresServer from "../PostgresServer.ts"
import { run } from "./ProjectorKills.ts"

const plan = process.argv.includes("--quick")
  ? { kills: 3, clients: 4, pause: 10 }
  : { kills: 50, clients: 8, pause: 10 }

const postgres = await PostgresServer.start()
try {
  const { faults, takeOvers, ...figures } = await run({ ...plan, databaseUrl: postgres.url })
  const sorted = takeOvers.toSorted((left, right) => left - right)
  const takeOverMillis = { p50: sorted[Math.floor(sorted.length / 2)], max: sorted.at(-1) }
  for (const fault of faults.slice(0, 20)) console.error(fault)
  console.log(JSON.stringify({ campaign: "projectors", ...plan, ...figures, takeOverMillis, faults: faults.length }))
  process.exitCode = faults.length === 0 ? 0 : 1
} finally {
  await postgres.stop()
}
