/**
 * `node scripts/campaigns/cache.ts [--quick] [--restarts 100]`: the cache of two servers is killed and started again 100 times, paused
 * and flushed, under load. The server is fetched by `scripts/services install redis`.
 */
import { parseArgs } from "node:util"
import { run } from "../../harness/campaigns/CacheRestarts.ts"
import { seed } from "../../harness/fixtures/SeededRandom.ts"
import { report } from "../../harness/judges/Verdict.ts"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"

const { values } = parseArgs({
  options: { quick: { type: "boolean", default: false }, restarts: { type: "string", default: "100" } }
})

const plan = {
  restarts: values.quick ? 5 : Number(values.restarts),
  clients: 3,
  readers: 4,
  pause: 20,
  reads: 100,
  seed
}

const postgres = await PostgresServer.start()
try {
  const { faults, ...figures } = await run({ ...plan, databaseUrl: postgres.url })
  report({ campaign: "cache", ...plan, ...figures }, faults)
} finally {
  await postgres.stop()
}
