/**
 * Makes random scripts: lives of one aggregate, each a list of commands with the trace that they leave. A command that does
 * something is preferred to one that is refused, three times of four; so is a kind that was seldom accepted so far, and one
 * after which life goes on. So scripts get far. The same seed makes the same scripts.
 */
import { Result } from "effect"
import type * as Arbitrary from "effect/Arbitrary"
import * as Trace from "../Trace.ts"
import * as CommandGenerator from "./CommandGenerator.ts"
import { type Dice, dice } from "./Dice.ts"
import type { Subject, Tagged } from "./Subject.ts"

export type Recorded<State, Command, Event, Rejection> = Trace.Recorder<State, Command, Event, Rejection>["trace"]

/** A script with the trace that its commands leave. */
export interface Script<State, Command, Event, Rejection> {
  /** The id of the aggregate. */
  readonly id: string
  readonly commands: ReadonlyArray<Command>
  readonly trace: Recorded<State, Command, Event, Rejection>
}

export interface ScriptOptions<Command> {
  readonly runs: number
  readonly length: number
  readonly seed: string
  readonly arbitrary?: Arbitrary.Arbitrary<Command>
  /** Makes commands of so few different ones of each kind, so that scripts have values in common. */
  readonly variety?: number
  readonly weights: Readonly<Record<string, number>>
}

/** Runs commands again, as a script. */
export const of = <State, Command, Event, Rejection>(
  { aggregate }: Subject<State, Command, Event, Rejection>,
  commands: ReadonlyArray<Command>
): Script<State, Command, Event, Rejection> => {
  const { record, trace } = Trace.recorder(aggregate.decider)
  commands.forEach(record)
  return { id: "", commands, trace }
}

/** Shuffles tags: the heavier one is, the sooner it tends to come. (Efraimidis and Spirakis, 2006.) */
const shuffled = (dice: Dice, tags: ReadonlyArray<string>, weightOf: (tag: string) => number): ReadonlyArray<string> =>
  tags
    .map((tag) => [-Math.log((1 + dice.below(1_000_000)) / 1_000_001) / weightOf(tag), tag] as const)
    .sort(([left], [right]) => left - right)
    .map(([, tag]) => tag)

/** A script ends early after so many commands in a row that changed nothing. */
const idleLimit = 10

export function* generate<State, Command extends Tagged, Event, Rejection>(
  subject: Subject<State, Command, Event, Rejection>,
  { arbitrary, length, runs, seed, variety, weights }: ScriptOptions<Command>
): Generator<Script<State, Command, Event, Rejection>> {
  const random = dice(seed)
  const generator = CommandGenerator.make(subject, random, seed, arbitrary, variety)
  const { decide } = subject.aggregate.decider
  const accepted = new Map<string, number>()
  const ended = new Map<string, number>()
  const wanted = generator.tags.filter((tag) => weights[tag] !== 0)
  let stored = 0
  /** What has stored nothing so far comes up six times as often as what stores its share; what ends a life, seldom. */
  const weightOf = (tag: string) => {
    const count = accepted.get(tag) ?? 0
    const deadly = (4 * (ended.get(tag) ?? 0)) / (1 + count)
    return (weights[tag] ?? 1) / (1 + deadly) / (0.2 + (count * generator.tags.length) / (1 + stored))
  }

  const stores = (command: Command, state: State): boolean => {
    try {
      const decision = Trace.withoutStacks(() => decide(Trace.freeze(command), state))
      return Result.isSuccess(decision) && decision.success.length > 0
    } catch {
      // The trace is to show it.
      return true
    }
  }

  for (let run = 0; run < runs; run++) {
    const { record, trace } = Trace.recorder(subject.aggregate.decider)
    const commands: Array<Command> = []
    const id = generator.ids[run % generator.ids.length] ?? ""
    const most = random.chance(0.5) ? length : 1 + random.below(length)
    let idle = 0
    let last = ""
    while (commands.length < most && idle < idleLimit && trace.thrown === undefined) {
      const state = trace.states.at(-1) ?? subject.aggregate.decider.initialState
      const next = generator.at({ id, state, commands })
      const tags = shuffled(random, wanted, weightOf)
      const first = next(tags[0])
      // Each kind is tried, the seldom ones more than once, until one stores an event.
      let command = random.chance(0.75) && first !== undefined && !stores(first, state) ? undefined : first
      for (const tag of command === undefined ? [...tags.slice(0, 4), ...tags.slice(0, 4), ...tags] : []) {
        const other = next(tag)
        if (other === undefined || !stores(other, state)) continue
        command = other
        break
      }
      command ??= first
      if (command === undefined) break
      const before = trace.events.length
      record(command)
      commands.push(command)
      idle = trace.events.length > before ? 0 : idle + 1
      if (idle > 0) continue
      stored += 1
      accepted.set(command._tag, (accepted.get(command._tag) ?? 0) + 1)
      last = command._tag
    }
    if (idle === idleLimit) ended.set(last, (ended.get(last) ?? 0) + 1)
    yield { id, commands, trace }
  }
}
