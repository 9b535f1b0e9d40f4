/** The program by which the kernel itself is simulated: purses, whose rules reject, and ledgers, which take many events at once. */
import { ledger } from "../aggregates/Ledger.ts"
import * as Simulation from "../../src/testing/simulation/Simulation.ts"
import { Purse, type PurseCommand } from "./Purse.ts"

const below = (random: () => number, limit: number) => Math.floor(random() * limit)

const purseCommand = (random: () => number): PurseCommand => {
  const coins = 1 + below(random, 5)
  return { _tag: (["PutIn", "PutIn", "TakeSome", "TakeOut"] as const)[below(random, 4)]!, coins }
}

export const program: Simulation.Program = Simulation.commands(
  [
    Simulation.subject(Purse, purseCommand),
    Simulation.subject(ledger(3), (random) => ({ _tag: "Book", events: 1 + below(random, 3) }))
  ],
  { requests: 6 }
)

export const settings: Simulation.Settings = { ...Simulation.defaults, follow: [Purse.category, ledger(3).category] }
