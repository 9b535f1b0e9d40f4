/**
 * `node scripts/campaigns/money.ts [--quick]`: the totals of 100,000 random orders (2,000), and the money of random lives of
 * 300,000 commands (23,000, about 1,000 orders) under each policy, computed twice. `SEED=…` repeats a run.
 */
import { livesUnder, policies } from "../../harness/judges/MoneyLives.ts"
import { sumsOfMany } from "../../harness/judges/OrderSums.ts"
import { report } from "../../harness/judges/Verdict.ts"

const isQuick = process.argv.includes("--quick")
const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000)
const { faults, greatest, ...totals } = sumsOfMany(isQuick ? 2_000 : 100_000, seed)
const lives: Record<string, object> = {}
for (const policy of policies) {
  const { faults: found, ...figures } = livesUnder(policy, isQuick ? 23_000 : 300_000, seed)
  lives[policy] = figures
  for (const fault of found) faults.push(`${policy}: ${fault}`)
}
report({ campaign: "money", seed, totals: { ...totals, greatest: String(greatest) }, ...lives }, faults)
