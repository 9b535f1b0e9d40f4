/** `node scripts/campaigns/money.ts [--quick]`: the totals of 100,000 random orders (2,000), computed twice. `SEED=…` repeats a run. */
import { sumsOfMany } from "./OrderSums.ts"

const orders = process.argv.includes("--quick") ? 2_000 : 100_000
const seed = Number(process.env["SEED"] ?? Date.now() % 1_000_000)
const { faults, greatest, ...figures } = sumsOfMany(orders, seed)
for (const fault of faults.slice(0, 20)) console.error(fault)
console.log(JSON.stringify({ campaign: "money", seed, ...figures, greatest: String(greatest), faults: faults.length }))
process.exitCode = faults.length === 0 ? 0 : 1
