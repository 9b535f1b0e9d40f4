/**
 * `node scripts/campaigns/erp.ts [--quick] [--crashes n] [--seed n] [polling] [sse] [webhooks] [kafka]`: systems
 * that follow orders are killed at any step, each n times, and must have done everything once. Kafka is followed only if it
 * is named; it is fetched and started then.
 */
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { run, type Way } from "../../harness/campaigns/erp/ErpCampaign.ts"
import * as SeededRandom from "../../harness/fixtures/SeededRandom.ts"
import { report } from "../../harness/judges/Verdict.ts"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"
import * as KafkaCluster from "../../harness/services/KafkaCluster.ts"

const all: ReadonlyArray<Way> = ["polling", "sse", "webhooks", "kafka"]
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    crashes: { type: "string" },
    seed: { type: "string", default: String(SeededRandom.seed) }
  }
})
const ways = positionals.length === 0 ? all.slice(0, 3) : all.filter((way) => positionals.includes(way))
const sizes = values.quick
  ? { crashes: 20, serverKills: 2, rebuilds: 1, clients: 3, pause: 10 }
  : { crashes: 500, serverKills: 20, rebuilds: 10, clients: 4, pause: 20 }
const plan = { ...sizes, crashes: Number(values.crashes ?? sizes.crashes), ways, seed: Number(values.seed) }

const postgres = await PostgresServer.start()
const folder = await mkdtemp(join(tmpdir(), "ordinal-erp-"))
const cluster = ways.includes("kafka") ? await KafkaCluster.start(3) : undefined
try {
  const bus = cluster === undefined ? {} : { kafka: cluster.bootstrap }
  const { faults, ...figures } = await run({ ...plan, ...bus, folder, databaseUrl: postgres.url })
  report({ campaign: "erp", ...plan, ...figures }, faults)
} catch (error) {
  // What ends a run is told before the servers stop, which may take long.
  console.error(error)
  process.exitCode = 1
} finally {
  await cluster?.close()
  await postgres.stop()
  await rm(folder, { recursive: true, force: true })
}
