/** Runs seeds from 1 on until one finds something, and prints the seed and what it found as JSON. `Sabotage` calls it. */
import { program, settings } from "../../harness/simulation/KernelProgram.ts"
import * as Simulation from "../../src/testing/simulation/Simulation.ts"

const seeds = Number(process.argv[2])

const firstFinding = () => {
  for (let seed = 1; seed <= seeds; seed++) {
    const [finding] = Simulation.run(program, seed, settings).findings
    if (finding !== undefined) return { seed, finding }
  }
  return {}
}

console.log(JSON.stringify(firstFinding()))
