/**
 * The laws that hold for every aggregate, whatever it is about: pure rules, valid events and states, nothing lost by storing.
 * (L1 to L4 and L9 of the order domain, for any aggregate. The kernel counts versions, so a state need not.)
 */
import { Equal, Result } from "effect"
import { fold, timeOf } from "../Given.ts"
import { shown } from "../Shown.ts"
import * as Trace from "../Trace.ts"
import { elsewhen } from "./Elsewhen.ts"
import { insist, type Law, tellsThrown } from "./Law.ts"
import { mistakesOfOldShapes } from "./OldShapes.ts"
import { isMembers } from "./StateValues.ts"
import { type Subject, type Tagged, viaJson } from "./Subject.ts"

export interface Exceptions {
  /** Commands that may have their effect again when they are repeated, although they bring an id. */
  readonly repeatable: ReadonlyArray<string>
  /** Events that may leave the state as it is, since no rule needs what they say. */
  readonly unobserved: ReadonlyArray<string>
  /** If true, a repeat is accepted without an event, and not rejected. */
  readonly acceptsRepeats: boolean
}

const same = (left: unknown, right: unknown): boolean => JSON.stringify(left) === JSON.stringify(right)

const withoutVersion = (state: unknown): unknown => {
  if (!isMembers(state)) return state
  const { version: _, ...rest } = state
  return rest
}

const textsIn = (value: unknown, found = new Set<string>()): ReadonlySet<string> => {
  if (typeof value === "string") found.add(value)
  else if (typeof value === "object" && value !== null) for (const part of Object.values(value)) textsIn(part, found)
  return found
}

/** Names the ids that a command brings: it is the first to mention them, and its events keep them. */
const broughtIds = (command: Tagged, ownIds: ReadonlySet<string>, before: unknown, events: unknown) => {
  const known = textsIn(before)
  const kept = textsIn(events)
  return Object.entries<unknown>({ ...command }).filter(
    ([name, value]) =>
      /(^id|Id|ID|Key)$/.test(name) &&
      !ownIds.has(name) &&
      typeof value === "string" &&
      !known.has(value) &&
      kept.has(value)
  )
}

export const derivedLaws = <State, Command extends Tagged, Event extends Tagged, Rejection>(
  subject: Subject<State, Command, Event, Rejection>,
  { acceptsRepeats, repeatable, unobserved }: Exceptions
): ReadonlyArray<Law<State, Command, Event, Rejection>> => {
  const { aggregate, event, ownIds, rejection, state } = subject
  const { codec, decider } = aggregate
  let oldShapes: ReadonlyArray<readonly [string, unknown]> | undefined
  return [
    {
      name: "decide never throws",
      check: ({ thrown }) =>
        insist(thrown === undefined || thrown.event !== undefined, tellsThrown("decide", thrown?.error))
    },
    {
      name: "evolve is total on what decide emits",
      check: ({ thrown }) =>
        insist(thrown?.event === undefined, tellsThrown(`evolve, given ${shown(thrown?.event)},`, thrown?.error))
    },
    {
      name: "decide is deterministic: no clock, no chance, no memory",
      check: ({ steps }) => {
        for (const { before, command, decision } of steps) {
          const again = elsewhen(() => decider.decide(command, before))
          insist(
            same(decision, again),
            "The same command in the same state was decided otherwise the second time:",
            again
          )
        }
      }
    },
    {
      name: "evolve is deterministic: no clock, no chance, no memory",
      check: ({ events, states }) => {
        for (const [index, event] of events.entries()) {
          const again = elsewhen(() => decider.evolve(states[index]!, event, timeOf(index)))
          insist(Equal.equals(states[index + 1], again), "The same event in the same state led to another one:", again)
        }
      }
    },
    {
      name: "no decision depends on when an event was recorded",
      check: ({ steps }) => {
        const { record, trace } = Trace.recorder(decider, (index) => timeOf(index + 1_000_000))
        for (const [index, { command, decision }] of steps.entries()) {
          record(command)
          const other = trace.steps[index]?.decision
          insist(
            same(decision, other),
            "The kernel knows the time only later, but with later times this was decided:",
            other
          )
        }
      }
    },
    {
      name: "every event is valid by its schema",
      check: ({ events }) => {
        for (const emitted of events)
          insist(event.mistake(emitted) === undefined, event.mistake(emitted) ?? "", emitted)
      }
    },
    {
      name: "every state is valid by its schema",
      check: ({ states }) => {
        for (const reached of states)
          insist(state.mistake(reached) === undefined, state.mistake(reached) ?? "", reached)
      }
    },
    {
      name: "every rejection is valid by its schema, and the same after encoding",
      check: ({ steps }) => {
        for (const { decision } of steps) {
          if (Result.isSuccess(decision)) continue
          const { failure } = decision
          if (rejection === undefined) throw new Error("The aggregate has no schema `rejection`, and rejects.")
          insist(rejection.mistake(failure) === undefined, rejection.mistake(failure) ?? "", failure)
          const read = rejection.read(rejection.write(failure))
          insist(same(rejection.write(read), rejection.write(failure)), "Encoded and decoded, it is another:", read)
        }
      }
    },
    {
      name: "every event is the same after it was stored and read",
      check: ({ events }) => {
        for (const emitted of events) {
          const { data, ...stored } = codec.encode(emitted)
          const read = codec.decode({ ...stored, data: viaJson(data) })
          insist(Equal.equals(read, emitted), "An event that was stored and read is another:", read)
        }
      }
    },
    {
      name: "a snapshot at every version leads on as the events do",
      check: ({ events, states }) => {
        for (const [version, reached] of states.entries()) {
          const restored = Trace.freeze(state.read(state.write(reached)))
          insist(Equal.equals(restored, reached), `The snapshot at version ${version} is another state:`, restored)
          const next = events[version]
          if (next === undefined) continue
          const after = decider.evolve(restored, next, timeOf(version))
          insist(Equal.equals(after, states[version + 1]), `From the snapshot at version ${version} on:`, after)
        }
      }
    },
    {
      name: "reading all events again leads to the same state",
      check: ({ events, states }) => {
        const again = fold(decider, events)
        insist(Equal.equals(again, states.at(-1)), "A second fold of the same events led to:", again)
      }
    },
    {
      name: "a version in the state counts the events",
      check: ({ states }) => {
        for (const [version, reached] of states.entries()) {
          const counted = isMembers(reached) ? reached["version"] : undefined
          insist(typeof counted !== "number" || counted === version, `After ${version} events the state says:`, counted)
        }
      }
    },
    {
      name: "every event changes the state",
      check: ({ events, states }) => {
        for (const [index, emitted] of events.entries()) {
          if (unobserved.includes(emitted._tag)) continue
          // The time of the event before, so that it does not count as a change.
          const after = decider.evolve(states[index]!, emitted, timeOf(index - 1))
          insist(
            !Equal.equals(withoutVersion(after), withoutVersion(states[index])),
            `${emitted._tag} was stored and left the state as it was. Either it says nothing new and there was nothing to ` +
              `do, or the state forgets it. If no rule needs what it says, name it: unobserved: ["${emitted._tag}"].`
          )
        }
      }
    },
    {
      name: "a command that brings an id has no effect a second time",
      check: ({ steps }) => {
        for (const { after, before, command, events } of steps) {
          if (events.length === 0 || repeatable.includes(command._tag)) continue
          const [id] = broughtIds(command, ownIds, before, events)
          if (id === undefined) continue
          const again = decider.decide(command, after)
          insist(
            Result.isFailure(again) ? !acceptsRepeats : again.success.length === 0,
            `${command._tag} brings ${id[0]} ${shown(id[1])}, which tells its repeat from another command, but the repeat ` +
              `was ${Result.isFailure(again) ? "rejected" : "stored"}. If each is to count: repeatable: ["${command._tag}"].`,
            Result.isFailure(again) ? again.failure : again.success
          )
        }
      }
    },
    {
      name: "events that were stored in an earlier shape are read",
      check: () => {
        oldShapes ??= mistakesOfOldShapes(subject)
        for (const [what, data] of oldShapes) insist(false, what, data)
      }
    },
    {
      name: "a state has an owner, or none",
      check: ({ states }) => {
        for (const reached of states) {
          const owner: unknown = subject.owner(reached)
          insist(owner === undefined || (typeof owner === "string" && owner !== ""), "This owner is no text:", owner)
        }
      }
    }
  ]
}

/** Makes a law of an invariant of the aggregate's own. */
export const invariantLaw = <State, Command, Event, Rejection>(
  name: string,
  holds: (state: State, events: ReadonlyArray<Event>) => boolean
): Law<State, Command, Event, Rejection> => ({
  name,
  check: ({ events, states }) => {
    for (const [version, state] of states.entries()) {
      insist(holds(state, events.slice(0, version)), `It does not hold at version ${version}:`, state)
    }
  }
})
