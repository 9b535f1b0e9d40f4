/**
 * `node scripts/campaigns/environment.ts [--quick] [--minutes N] [--seed N] [--only kind]`: two servers on PostgreSQL under
 * load, whose environment is disturbed and cured again and again; 30 minutes by default.
 */
import { parseArgs } from "node:util"
import * as EnvironmentPlans from "../../harness/environment/EnvironmentPlans.ts"
import { type Result, run } from "../../harness/environment/EnvironmentCampaign.ts"
import { report } from "../../harness/judges/Verdict.ts"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    minutes: { type: "string", default: "30" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    only: { type: "string", default: "" }
  }
})
const [seed, minutes] = [Number(values.seed), Number(values.minutes)]

/** The median and the greatest of the times until all was back. */
const backMillis = (results: ReadonlyArray<Result>) => {
  const sorted = results.flatMap(({ back, isCounted }) => (isCounted ? (back ?? []) : [])).sort((a, b) => a - b)
  return { medianMillis: sorted[sorted.length >> 1], maxMillis: sorted.at(-1) }
}

const table = (results: ReadonlyArray<Result>) =>
  console.table(
    Object.fromEntries(
      [...Map.groupBy(results, ({ disturbance }) => disturbance.kind)].sort().map(([kind, all]) => {
        const counted = all.filter(({ isCounted }) => isCounted).length
        const faults = all.reduce((sum, { faults }) => sum + faults.length, 0)
        return [kind, { count: all.length, counted, ...backMillis(all), faults }]
      })
    )
  )

console.log(`seed ${seed}`)
const postgres = await PostgresServer.start()
try {
  const plan = values.quick ? EnvironmentPlans.quick(seed) : EnvironmentPlans.full({ seed, minutes, only: values.only })
  const { faults, results, takeOvers, ...figures } = await run({
    ...plan,
    databaseUrl: postgres.url,
    onProgress: (line) => console.log(line)
  })
  table(results)
  const counted = results.filter(({ isCounted }) => isCounted).length
  const sums = {
    disturbances: results.length,
    counted,
    ...backMillis(results),
    takeOverMillis: Math.max(0, ...takeOvers)
  }
  report({ campaign: "environment", seed, ...sums, ...figures }, faults)
} finally {
  await postgres.stop()
}
