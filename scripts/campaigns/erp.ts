/**
 * `node scripts/campaigns/erp.ts [--quick] [--seed n] [polling] [sse]`: systems that follow orders are killed at any
 * step, and must have done everything once.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { run, type Way } from "../../harness/campaigns/erp/ErpCampaign.ts"
import * as SeededRandom from "../../harness/fixtures/SeededRandom.ts"
import { report } from "../../harness/judges/Verdict.ts"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"

const all: ReadonlyArray<Way> = ["polling", "sse"]
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, seed: { type: "string", default: String(SeededRandom.seed) } }
})
const ways = positionals.length === 0 ? all : all.filter((way) => positionals.includes(way))
const sizes = values.quick
  ? { crashes: 20, serverKills: 2, rebuilds: 1, clients: 3, pause: 10 }
  : { crashes: 500, serverKills: 20, rebuilds: 10, clients: 4, pause: 20 }
const plan = { ...sizes, ways, seed: Number(values.seed) }

const postgres = await PostgresServer.start()
const folder = await mkdtemp(join(tmpdir(), "ordinal-erp-"))
try {
  const { faults, ...figures } = await run({ ...plan, folder, databaseUrl: postgres.url })
  report({ campaign: "erp", ...plan, ...figures }, faults)
} finally {
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
}
