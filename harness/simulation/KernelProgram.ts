/** The program by which the kernel itself is simulated: counters, which reject, and ledgers, which have snapshots. */
import { Counter, type CounterCommand } from "../aggregates/Counter.ts"
import { ledger } from "../aggregates/Ledger.ts"
import * as Simulation from "../../src/testing/simulation/Simulation.ts"

const below = (random: () => number, limit: number) => Math.floor(random() * limit)

/** Some add nothing, and some are rejected from a certain count on. */
const counterCommand = (random: () => number): CounterCommand =>
  random() < 0.3 ? { _tag: "RefuseAt", count: below(random, 12) } : { _tag: "Add", amount: below(random, 4) }

export const program: Simulation.Program = Simulation.commands([
  Simulation.subject(Counter, counterCommand),
  Simulation.subject(ledger(3), (random) => ({ _tag: "Book", events: 1 + below(random, 3) }))
])
