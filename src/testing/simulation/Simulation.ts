/**
 * Runs a program against several nodes of the kernel in one process, thousands of times, and judges all that it was answered.
 * The nodes, the database between them, their clocks and their network are simulated; the kernel in them is the real one.
 *
 * A seed picks what happens next and what goes wrong, so it brings a run back exactly. (Deterministic simulation as of
 * FoundationDB and TigerBeetle; histories as of Jepsen; a random subset of the faults for each run: Groce et al., "Swarm
 * testing", 2012.)
 */
import { Data, Effect } from "effect"
import { allFaults } from "./Faults.ts"
import { type Program, run, type RunResult, type Settings } from "./Run.ts"

export { Client, type ClientOptions, type Read, type Reply } from "./Client.ts"
export { allFaults, type Fault } from "./Faults.ts"
export { type Program, run, type RunResult, type Settings } from "./Run.ts"
export { commands, type Options as CommandsOptions, type Subject, subject } from "./Workload.ts"

export interface Options extends Partial<Settings> {
  /** So many seeds are run; 100 if nothing else is said. */
  readonly seeds?: number
  /** The first seed, 1 if nothing else is said. */
  readonly seed?: number
}

/** Says what was run without a finding. */
export interface Checked {
  readonly seeds: number
  readonly requests: number
  readonly events: number
  /** It is the same if in each of these runs the same happened, in whatever order and threads they were made. */
  readonly hash: string
}

/** A seed made something happen that must not. The message has a run that is as small as was found, and how to replay it. */
export class SimulationFailed extends Data.TaggedError("SimulationFailed")<{
  readonly seed: number
  readonly findings: ReadonlyArray<string>
  /** With these settings the same seed has a smaller run that fails as well. */
  readonly settings: Settings
  /** What happened in that run, line by line. */
  readonly trace: ReadonlyArray<string>
}> {
  override get message() {
    const { findings, seed, settings, trace } = this
    const { clients, faults, follow, nodes, requests } = settings
    const followed = follow.length === 0 ? "" : `, follow: ${JSON.stringify(follow)}`
    return [
      `Seed ${seed} found what must not happen:`,
      ...findings.map((finding) => `  - ${finding}`),
      `All of it happened with these settings (milliseconds, process, what happened):`,
      ...trace,
      "To replay it:",
      `  Simulation.check(program, { seeds: 1, seed: ${seed}, nodes: ${nodes}, clients: ${clients}, requests: ${requests},`,
      `    faults: ${JSON.stringify(faults)}${followed} })`
    ].join("\n")
  }
}

export const defaults: Settings = { nodes: 3, clients: 3, faults: allFaults, follow: [], requests: 1_000 }

const isFailing = ({ findings }: RunResult): boolean => findings.length > 0

/** Leaves out of a failing run what it does not need in order to fail: requests, clients, nodes, kinds of faults. */
const shrink = (program: Program, failed: RunResult, first: Settings): Settings => {
  const { seed } = failed
  let settings: Settings = { ...first, faults: failed.faults, requests: failed.requests }
  const tryWith = (smaller: Partial<Settings>): boolean => {
    const next = { ...settings, ...smaller }
    if (!isFailing(run(program, seed, next))) return false
    settings = next
    return true
  }
  // With fewer requests a run may need fewer nodes as well, so that the smallest one is not made smaller by a replay.
  for (let before: Settings | undefined; before !== settings;) {
    before = settings
    if (settings.follow.length > 0) tryWith({ follow: [] })
    while (settings.clients > 1 && tryWith({ clients: settings.clients - 1 }));
    while (settings.nodes > 1 && tryWith({ nodes: settings.nodes - 1 }));
    for (const fault of settings.faults) tryWith({ faults: settings.faults.filter((other) => other !== fault) })
    while (settings.requests > 1 && tryWith({ requests: Math.floor(settings.requests / 2) }));
    while (settings.requests > 1 && tryWith({ requests: settings.requests - 1 }));
  }
  return settings
}

/** Says a hash in 16 hex digits. */
export const hashText = (hash: bigint): string => hash.toString(16).padStart(16, "0")

/** Each run of so many is made twice, to see that it is the same one. */
const repeatEvery = 50

/**
 * Runs one seed, and fails if anything is wrong: with the smallest run that was found, and with its trace.
 */
const checkSeed = (program: Program, seed: number, settings: Settings): Effect.Effect<RunResult, SimulationFailed> =>
  Effect.suspend(() => {
    const result = run(program, seed, settings)
    if (!isFailing(result)) {
      if (seed % repeatEvery !== 0 || run(program, seed, settings).hash === result.hash) return Effect.succeed(result)
      const finding =
        "two runs of this seed differ: the program uses a clock, random numbers or I/O that are not Effect's"
      return new SimulationFailed({ seed, findings: [finding], settings, trace: [] })
    }
    const smaller = shrink(program, result, settings)
    const trace: Array<string> = []
    const { findings } = run(program, seed, smaller, (line) => trace.push(line))
    return new SimulationFailed({ seed, findings, settings: smaller, trace })
  })

/**
 * Runs the program with many seeds, on several nodes and by several clients at a time, while faults strike. It fails with the
 * first seed for which something happened that the kernel promises never happens:
 *
 * - an accepted command is not in the log, or twice, or differs from what its answer said; something is there that nobody sent;
 * - a command was not decided on the newest state, its precondition or a guard did not hold at the commit, or a rejection was
 *   right at no version that was there between question and answer;
 * - a read is not of the newest state; two commands with one key took effect; a follower of the log was handed it otherwise
 *   than it is; the view of a projection is not the fold of the log up to its checkpoint, or an event was not delivered to a
 *   subscription that is past it; a command has no answer in time, or a node does not come back once the faults have ended.
 *
 * The program must get its time and its random numbers from Effect or from its `Client`, and do no I/O of its own.
 *
 * ```ts
 * import { it } from "@effect/vitest"
 * import { Simulation } from "ordinal/testing"
 *
 * const program = Simulation.commands([
 *   Simulation.subject(GiftCard, (random) => ({ _tag: "Redeem", cents: 1 + Math.floor(random() * 100), till: "1" }))
 * ])
 * it.effect("gift cards survive", () => Simulation.check(program, { seeds: 500, nodes: 2 }))
 * ```
 */
export const check = (program: Program, options: Options = {}): Effect.Effect<Checked, SimulationFailed> =>
  Effect.gen(function* () {
    const { seed: first = 1, seeds = 100, ...others } = options
    const settings: Settings = { ...defaults, ...others }
    let requests = 0
    let events = 0
    let hash = 0n
    for (let seed = first; seed < first + seeds; seed++) {
      const result = yield* checkSeed(program, seed, settings)
      requests += result.requests
      events += result.events
      hash ^= BigInt(`0x${result.hash}`)
      // Whoever waits for something else has a turn.
      yield* Effect.yieldNow
    }
    return { seeds, requests, events, hash: hashText(hash) }
  })
