/** `node scripts/campaigns/money.ts [--quick]`: the totals of 100,000 random orders (2,000), computed twice. `SEED=…` repeats a run. */
import { report } from "../../harness/judges/Verdict.ts"
import { sumsOfMany } from "../../harness/judges/OrderSums.ts"

const orders = process.argv.includes("--quick") ? 2_000 : 100_000
const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000)
const { faults, greatest, ...figures } = sumsOfMany(orders, seed)
report({ campaign: "money", seed, ...figures, greatest: String(greatest) }, faults)
