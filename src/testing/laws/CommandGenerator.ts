/**
 * Makes the next command of a script, relative to the state: of the schema alone, or of the commands that a test gives. One
 * of twelve is wild, which is as the schema generates it; one of seven repeats an earlier one, perhaps with a change. In all
 * others, ids, numbers and dates are replaced by such as the state holds. Every command is valid by its schema.
 */
import { Effect, Result } from "effect"
import * as Arbitrary from "effect/Arbitrary"
import type { Dice } from "./Dice.ts"
import {
  collect,
  isMembers,
  isMoment,
  type Members,
  momentFor,
  numberFor,
  partsLike,
  type StateValues
} from "./StateValues.ts"
import type { Subject, Tagged } from "./Subject.ts"

/** So many commands of each kind are generated; scripts are made of them. */
const samples = 80

export class CommandsNotGenerated extends Error {
  constructor(category: string, reason: string) {
    super(
      `No commands of ${category} can be generated from their schema (${reason}). A check of your own may refuse nearly ` +
        "every value: give it the annotation `arbitraryConstraint`, such as { patterns: [{ source, flags }] }, or give " +
        "the option `commands`: an Arbitrary of commands."
    )
    this.name = "CommandsNotGenerated"
  }
}

const sampled = <A>(category: string, seed: string, make: () => Arbitrary.Arbitrary<A>, count: number) => {
  const made = Result.try(make)
  if (Result.isFailure(made)) throw new CommandsNotGenerated(category, String(made.failure))
  // Small values meet again more often; only larger ones have all of their optional members.
  return [6, 30].flatMap((size) => {
    const options = { count: Math.ceil(count / 2), size, seed }
    const drawn = Effect.runSync(Effect.result(Arbitrary.sampleEffect(made.success, options)))
    if (Result.isFailure(drawn))
      throw new CommandsNotGenerated(category, `${drawn.failure.discards} values were refused`)
    return drawn.success
  })
}

/** Gives commands by their tags, as they are generated, without any state. */
const templatesOf = <State, Command extends Tagged, Event, Rejection>(
  { aggregate, commandSchema, commandTags }: Subject<State, Command, Event, Rejection>,
  seed: string,
  given: Arbitrary.Arbitrary<Command> | undefined
): ReadonlyMap<string, ReadonlyArray<Command>> => {
  const arbitrary = () => given ?? Arbitrary.schema(commandSchema)
  const count = samples * Math.max(1, commandTags.length)
  const templates = Map.groupBy(sampled(aggregate.category, seed, arbitrary, count), ({ _tag }) => _tag)
  const missing = commandTags.filter((tag) => !templates.has(tag))
  if (given !== undefined || missing.length === 0) return templates
  throw new CommandsNotGenerated(aggregate.category, `none of ${missing.join(", ")} among ${count} of them`)
}

/** All that a command can be made of. */
export interface Memory<State, Command> {
  readonly id: string
  readonly state: State
  readonly commands: ReadonlyArray<Command>
}

export interface CommandGenerator<State, Command> {
  /** Ids of the aggregate, all different. */
  readonly ids: ReadonlyArray<string>
  readonly tags: ReadonlyArray<string>
  /** Makes commands for this moment of a script. */
  at(memory: Memory<State, Command>): (tag: string | undefined) => Command | undefined
}

const set = (members: Members, name: string, value: unknown): Members => ({ ...members, [name]: value })

export const make = <State, Command extends Tagged, Event, Rejection>(
  subject: Subject<State, Command, Event, Rejection>,
  dice: Dice,
  seed: string,
  given?: Arbitrary.Arbitrary<Command>,
  variety = samples
): CommandGenerator<State, Command> => {
  const templates = templatesOf(subject, seed, given)
  const { aggregate, command: schema, idSchema, ownIds } = subject
  const ids = [...new Set(sampled(aggregate.category, seed, () => Arbitrary.schema(idSchema), 40))]

  const text = (name: string, value: string, values: StateValues, about: Members | undefined): string => {
    const same = about?.[name]
    if (typeof same === "string" && dice.chance(0.85)) return same
    return (dice.chance(0.35) ? dice.pick(values.texts.get(name) ?? []) : undefined) ?? value
  }

  const list = (name: string, items: ReadonlyArray<unknown>, values: StateValues): ReadonlyArray<unknown> => {
    const kept = dice.chance(0.85) ? items.slice(0, 1 + dice.below(3)) : items
    const used = new Set<unknown>()
    return kept.map((item) => {
      if (!isMembers(item)) return changed(name, item, values, undefined, {})
      const about = dice.chance(0.9) ? dice.pick(partsLike(values, item).filter((part) => !used.has(part))) : undefined
      used.add(about)
      return members(item, values, about)
    })
  }

  const changed = (
    name: string,
    value: unknown,
    values: StateValues,
    about: Members | undefined,
    before: Members
  ): unknown => {
    if (typeof value === "string") return text(name, value, values, about)
    if (typeof value === "boolean") return dice.chance(0.3) ? !value : value
    if (typeof value === "number") return numberFor(dice, values, name, about, before) ?? value
    if (Array.isArray(value)) return list(name, value, values)
    if (isMoment(value)) return momentFor(dice, values, value)
    if (!isMembers(value)) return value
    const same = about?.[name]
    if (isMembers(same) && dice.chance(0.3)) return same
    return members(value, values, dice.chance(0.5) ? dice.pick(partsLike(values, value)) : undefined)
  }

  /** Replaces one member after the other, and keeps the generated one where the new one is not valid. */
  const members = (of: Members, values: StateValues, about: Members | undefined): Members => {
    let made: Members = {}
    for (const [name, value] of Object.entries(of)) {
      made = set(made, name, name === "_tag" || ownIds.has(name) ? value : changed(name, value, values, about, made))
    }
    return made
  }

  /** Adds a member that only some commands of this kind have. */
  const withOptional = (command: Command): Members => {
    const other: Members = { ...dice.pick(templates.get(command._tag) ?? []) }
    const missing = dice.pick(Object.keys(other).filter((name) => !(name in command)))
    return missing === undefined ? { ...command } : set({ ...command }, missing, other[missing])
  }

  /** Takes over as many of the new values as make a valid command. */
  const repaired = (from: Members, to: Members, whole: (members: Members) => Members): Members => {
    let made = from
    for (const [name, value] of Object.entries(to)) {
      const holds = (tried: unknown) => schema.is(whole(set(made, name, tried)))
      const old = from[name]
      if (holds(value)) made = set(made, name, value)
      else if (isMembers(value) && isMembers(old)) {
        const outer = made
        made = set(
          made,
          name,
          repaired(old, value, (inner) => whole(set(outer, name, inner)))
        )
      } else if (Array.isArray(value)) {
        const kept = value.filter((item) => holds([item]))
        if (holds(kept)) made = set(made, name, kept)
      }
    }
    return made
  }

  const valid = (from: Command, to: Members): Command => {
    if (schema.is(to)) return to
    const made: unknown = repaired({ ...from }, to, (members) => members)
    return schema.is(made) ? made : from
  }

  const owned = (command: Command, id: string): Command => {
    let own: Members = { ...command }
    for (const name of ownIds) if (name in own) own = set(own, name, id)
    return schema.is(own) ? own : command
  }

  const relative = (template: Command, values: StateValues): Command => {
    const of = withOptional(template)
    const about = dice.chance(0.6) ? dice.pick(partsLike(values, of)) : undefined
    return valid(template, members(of, values, about))
  }

  return {
    ids,
    tags: [...templates.keys()],
    at: ({ commands, id, state }) => {
      const values = collect(state, commands)
      return (tag) => {
        const earlier = dice.chance(0.14) ? dice.pick(commands) : undefined
        if (earlier !== undefined) return dice.chance(0.5) ? earlier : relative(earlier, values)
        const template = dice.pick(templates.get(tag ?? "")?.slice(-variety) ?? [])
        if (template === undefined) return undefined
        return dice.chance(1 / 12) ? owned(template, id) : relative(owned(template, id), values)
      }
    }
  }
}
