/**
 * Derives the laws of an aggregate from its schemas, and checks them on random scripts: `suite` registers a test for each
 * law, `check` needs no runner. (Model-based testing as QuickCheck does it: Claessen and Hughes, 2000; here the schemas are
 * the model.)
 */
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Arbitrary from "effect/Arbitrary"
import { derivedLaws, invariantLaw } from "./DerivedLaws.ts"
import type { Law } from "./Law.ts"
import * as LawBroken from "./LawBroken.ts"
import * as Reach from "./Reach.ts"
import * as ReplayToken from "./ReplayToken.ts"
import * as Scripts from "./Scripts.ts"
import * as Trace from "../Trace.ts"
import { shrink } from "./Shrinking.ts"
import * as Subject from "./Subject.ts"
import type { AggregateClass, Codec, Tagged } from "./Subject.ts"

export interface Options<State, Command extends Tagged, Event extends Tagged, Rejection> {
  /** The number of scripts; 200 by default. */
  readonly runs?: number
  /** A script has at most so many commands; 30 by default. */
  readonly length?: number
  /** Another seed makes other scripts. */
  readonly seed?: string
  /** Runs exactly the script of this token, which the message of a broken law shows. */
  readonly replay?: string
  /** Hints: commands that get further than those of the schema, or how often each kind is to come up (1 by default). */
  readonly commands?: Arbitrary.Arbitrary<Command> | { readonly [Tag in Command["_tag"]]?: number }
  /** Sentences that hold in every state that is reached; each gets the events that led to it. */
  readonly invariants?: Readonly<Record<string, (state: State, events: ReadonlyArray<Event>) => boolean>>
  /** Laws of your own, on whole scripts. */
  readonly laws?: ReadonlyArray<Law<State, Command, Event, Rejection>>
  /** Tags of commands, events and rejections that no script can reach; or "anything", where scripts are few. */
  readonly unreached?: ReadonlyArray<string> | "anything"
  /** Tags of commands that have their effect each time, although they bring an id. */
  readonly repeatable?: ReadonlyArray<Command["_tag"]>
  /** Tags of events that may leave the state as it is. */
  readonly unobserved?: ReadonlyArray<Event["_tag"]>
  /** If "nothing", the repeat of a command that brings an id is accepted, and never rejected. */
  readonly repeats?: "nothing" | "nothing or rejected"
}

const reachLaw = "every command is accepted, and every event and rejection seen, by some script"
const shrinkSteps = 3000

type Checked<State, Command extends Tagged, Event extends Tagged, Rejection> = {
  readonly laws: ReadonlyArray<Law<State, Command, Event, Rejection>>
  /** Runs the next scripts; a suite keeps them for all its laws. */
  readonly scripts: () => Iterable<Scripts.Script<State, Command, Event, Rejection>>
  readonly broken: (
    law: Law<State, Command, Event, Rejection>,
    script: Scripts.Script<State, Command, Event, Rejection>,
    number: number
  ) => LawBroken.LawBroken | undefined
  readonly reach: (
    scripts: ReadonlyArray<Scripts.Script<State, Command, Event, Rejection>>
  ) => LawBroken.LawBroken | Reach.Reach
}

const reasonOf = <State, Command, Event, Rejection>(
  law: Law<State, Command, Event, Rejection>,
  { trace }: Scripts.Script<State, Command, Event, Rejection>
): string | undefined => {
  try {
    Trace.withoutStacks(() => law.check(trace))
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

const prepare = <State, Command extends Tagged, Event extends Tagged, Rejection>(
  subject: Subject.Subject<State, Command, Event, Rejection>,
  options: Options<State, Command, Event, Rejection>
): Checked<State, Command, Event, Rejection> => {
  const { commands: hints, invariants = {}, length = 30, replay, runs = 200, seed = "1", unreached = [] } = options
  const { category } = subject.aggregate
  const run = (commands: ReadonlyArray<Command>) => Scripts.of(subject, commands)
  return {
    laws: [
      ...derivedLaws(subject, {
        repeatable: options.repeatable ?? [],
        unobserved: options.unobserved ?? [],
        acceptsRepeats: options.repeats === "nothing"
      }),
      ...Object.entries(invariants).map(([name, holds]) => invariantLaw<State, Command, Event, Rejection>(name, holds)),
      ...(options.laws ?? [])
    ],
    scripts: () =>
      replay !== undefined
        ? [run(ReplayToken.read(replay).map(subject.command.read))]
        : Scripts.generate(subject, {
            runs,
            length,
            seed,
            ...(Arbitrary.isArbitrary(hints) ? { arbitrary: hints, weights: {} } : { weights: { ...hints } })
          }),
    broken: (law, script, number) => {
      if (reasonOf(law, script) === undefined) return undefined
      const { commands } = shrink(script.commands, {
        breaks: (commands) => reasonOf(law, run(commands)) !== undefined,
        isCommand: subject.command.is,
        most: replay === undefined ? shrinkSteps : 0
      })
      const smallest = run(commands)
      return LawBroken.make(
        {
          category,
          law: law.name,
          reason: reasonOf(law, smallest) ?? "It holds now: the rules are not deterministic.",
          scripts: number,
          length: script.commands.length,
          replay: ReplayToken.make(commands.map(subject.command.write))
        },
        smallest
      )
    },
    reach: (scripts) => {
      const reach = Reach.measure(
        subject,
        scripts.map(({ trace }) => trace)
      )
      const gaps = replay === undefined && unreached !== "anything" ? Reach.gaps(reach, unreached) : []
      if (gaps.length === 0) return reach
      const message = `${gaps.join("\n")}\n${Reach.help}\n\n${Reach.table(reach)}`
      return new LawBroken.LawBroken(message, { law: reachLaw, replay: "", scripts: scripts.length }, [])
    }
  }
}

/**
 * Checks the laws on random scripts; answers how far these got. Fails with the first law that is broken, its script made as
 * small as it gets.
 */
export const check = <
  Id extends Codec<string, string>,
  State extends Codec<unknown>,
  Command extends Codec<Tagged, Tagged>,
  Event extends Codec<Tagged, Tagged>,
  Rejection extends Codec<unknown>
>(
  aggregate: AggregateClass<Id, State, Command, Event, Rejection>,
  options: Options<State["Type"], Command["Type"], Event["Type"], Rejection["Type"]> = {}
): Effect.Effect<Reach.Reach, LawBroken.LawBroken> =>
  Effect.suspend(() => {
    const { broken, laws, reach, scripts } = prepare(Subject.make(aggregate), options)
    const done: Array<Scripts.Script<State["Type"], Command["Type"], Event["Type"], Rejection["Type"]>> = []
    for (const script of scripts()) {
      done.push(script)
      for (const law of laws) {
        const found = broken(law, script, done.length)
        if (found !== undefined) return Effect.fail(found)
      }
    }
    const reached = reach(done)
    return reached instanceof LawBroken.LawBroken ? Effect.fail(reached) : Effect.succeed(reached)
  })

/**
 * Registers a test for each law of the aggregate.
 *
 *     AggregateLaws.suite(GiftCards)
 *
 * Commands are generated from their schema, with ids and amounts of what the state holds. Give hints, invariants or exceptions
 * by the options. A failure shows the smallest script found, as given, when and then, and a token that replays it.
 */
export const suite = <
  Id extends Codec<string, string>,
  State extends Codec<unknown>,
  Command extends Codec<Tagged, Tagged>,
  Event extends Codec<Tagged, Tagged>,
  Rejection extends Codec<unknown>
>(
  aggregate: AggregateClass<Id, State, Command, Event, Rejection>,
  options: Options<State["Type"], Command["Type"], Event["Type"], Rejection["Type"]> = {}
): void => {
  // The first law makes the scripts, which takes longer than runners allow by themselves where the machine is busy.
  describe(`the laws of ${aggregate.category}`, { timeout: 60_000 }, () => {
    const { broken, laws, reach, scripts } = prepare(Subject.make(aggregate), options)
    let made:
      | ReadonlyArray<Scripts.Script<State["Type"], Command["Type"], Event["Type"], Rejection["Type"]>>
      | undefined
    const all = () => (made ??= [...scripts()])
    for (const law of laws) {
      it(law.name, () => {
        for (const [index, script] of all().entries()) {
          const found = broken(law, script, index + 1)
          if (found !== undefined) throw found
        }
      })
    }
    it(reachLaw, () => {
      const reached = reach(all())
      if (reached instanceof LawBroken.LawBroken) throw reached
    })
  })
}
