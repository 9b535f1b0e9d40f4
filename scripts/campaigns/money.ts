/**
 * `node scripts/campaigns/money.ts [--quick]`: the totals of 100,000 random orders (2,000), and the money of random lives of
 * 300,000 commands (23,000, about 1,000 orders) under each policy, computed twice. `SEED=…` repeats a run.
 */
import { livesUnder, policies } from "../../harness/judges/MoneyLives.ts"
import { sumsOfMany } from "../../harness/judges/OrderSums.ts"
import { report } from "../../harness/judges/Verdict.ts"

const isQuick = process.argv.includes("--quick")
const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000)
const sums = sumsOfMany(isQuick ? 2_000 : 100_000, seed)
const lives = policies.map((policy) => ({ policy, ...livesUnder(policy, isQuick ? 23_000 : 300_000, seed) }))
const { faults, greatest, ...totals } = sums
const figures = Object.fromEntries(lives.map(({ faults: _, policy, ...figures }) => [policy, figures]))
report({ campaign: "money", seed, totals: { ...totals, greatest: String(greatest) }, ...figures }, [
  ...faults,
  ...lives.flatMap(({ faults, policy }) => faults.map((fault) => `${policy}: ${fault}`))
])
