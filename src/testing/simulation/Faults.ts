/** The faults that a simulation has in store. Each seed takes some of them, so that not every run is spoilt by all at once. */
import type { World } from "./World.ts"

/**
 * - `crash`: a node ends at once, with all that it had in memory; what it had on its way to the log is stored or not.
 * - `restart`: a node shuts down in order, and another takes its place.
 * - `pause`: a node stands still for up to 8 s and goes on, as one that the system did not let run.
 * - `clock`: the wall clock of a node or of the database jumps, by up to an hour, forward or back.
 * - `connection`: a connection to the database is lost, and what was on its way over it took effect or not.
 * - `delay`: a statement or its answer takes long, up to 8 s, and others overtake it.
 * - `outage`: the database is away for up to 9 s.
 * - `hint`: what tells of new events between nodes is lost, comes twice or out of order, or is not heard for a while.
 * - `snapshot`: a saved state is lost, is an older one, or that of another program.
 * - `handler`: a handler of a projection or a subscription fails, at some events for good, or takes longer than it may.
 * - `impatience`: a caller goes away before the answer comes.
 * - `twin`: a command with a key reaches two nodes, or the same one twice, at about the same time.
 */
export const allFaults = [
  "crash",
  "restart",
  "pause",
  "clock",
  "connection",
  "delay",
  "outage",
  "hint",
  "snapshot",
  "handler",
  "impatience",
  "twin"
] as const

export type Fault = (typeof allFaults)[number]

export interface Faults {
  /** These may happen in this run. */
  readonly on: ReadonlySet<Fault>
  /** Tells, by chance, whether the fault happens now; never if it is not one of this run's. */
  readonly strikes: (fault: Fault, probability: number) => boolean
  /** From now on nothing goes wrong. */
  readonly end: () => void
}

export const make = (world: World, possible: ReadonlyArray<Fault>): Faults => {
  // The draw is the same one whatever is possible, so that a run with fewer faults stays as like the other as can be.
  const drawn = allFaults.filter(() => world.chance(0.6))
  const on = new Set(drawn.filter((fault) => possible.includes(fault)))
  return {
    on: new Set(on),
    strikes: (fault, probability) => on.has(fault) && world.chance(probability),
    end: () => on.clear()
  }
}
