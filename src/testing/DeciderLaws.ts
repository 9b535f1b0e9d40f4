/**
 * Checks the laws that hold for every aggregate, as properties of random lists of commands. (Property-based testing:
 * Claessen and Hughes, "QuickCheck", 2000.)
 */
import { Equal, Schema } from "effect"
import type { Aggregate } from "../aggregate/Aggregate.ts"
import { timeOf } from "./Given.ts"
import { trace } from "./Trace.ts"

export interface Law<Command> {
  readonly name: string
  /** Throws an error that says where, if the law does not hold for these commands. */
  check(commands: ReadonlyArray<Command>): void
}

/** Throws an error unless `holds`; its message shows `where` as JSON. */
export const insist = (holds: boolean, what: string, where: unknown): void => {
  if (!holds) throw new Error(`${what}: ${JSON.stringify(where)}`)
}

/** Names what the laws need to know of an aggregate. */
export interface Subject<State, Command, Event, Rejection> {
  readonly aggregate: Aggregate<State, Command, Event, Rejection>
  /** Snapshots use this schema of the state. */
  readonly state: Schema.Codec<State, unknown>
  /** Answers the number of events that led to a state; the state has to count them. */
  readonly version: (state: State) => number
}

const viaJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/**
 * Makes the laws L1 to L4 of an aggregate: its version counts its events, a snapshot at any point changes nothing,
 * `decide` is deterministic and writes into nothing, and events and states survive encoding. Check each law with random
 * commands:
 *
 * ```ts
 * import { it } from "@effect/vitest"
 * import { Effect } from "effect"
 * import { OrderAggregate, OrderState } from "ordinal/order"
 * import { deciderLaws, orderCommands } from "ordinal/testing"
 *
 * const version = (state: OrderState) => (state._tag === "Absent" ? 0 : state.version)
 * for (const law of deciderLaws({ aggregate: OrderAggregate, state: OrderState, version })) {
 *   it.effect.prop(law.name, [orderCommands], ([commands]) => Effect.sync(() => law.check(commands)))
 * }
 * ```
 */
export const deciderLaws = <State, Command, Event, Rejection>(
  subject: Subject<State, Command, Event, Rejection>
): ReadonlyArray<Law<Command>> => {
  const { codec, decider } = subject.aggregate
  const encode = Schema.encodeSync(subject.state)
  const decode = Schema.decodeUnknownSync(subject.state)
  const restore = (state: State) => decode(viaJson(encode(state)))
  return [
    {
      name: "L1 version is the number of events",
      check: (commands) => {
        for (const [index, state] of trace(decider, commands).states.entries()) {
          insist(subject.version(state) === index, `version after ${index} events`, state)
        }
      }
    },
    {
      name: "L2 a snapshot at every cut leads to the same state",
      check: (commands) => {
        const { events, states } = trace(decider, commands)
        for (const [cut, state] of states.entries()) {
          const end = events
            .slice(cut)
            .reduce((state, event, index) => decider.evolve(state, event, timeOf(cut + index)), restore(state))
          insist(Equal.equals(end, states[events.length]), `cut at ${cut}`, end)
        }
      }
    },
    {
      name: "L3 decide is deterministic and writes into nothing",
      check: (commands) => {
        const once = trace(decider, commands)
        const again = trace(decider, commands)
        insist(Equal.equals(once.events, again.events), "other events", [once.events, again.events])
        for (const { after, before, command, decision, events } of once.steps) {
          insist(events.length > 0 || before === after, "a state changed without an event", command)
          const repeated = viaJson(decider.decide(command, restore(before)))
          insist(Equal.equals(viaJson(decision), repeated), "another decision", command)
        }
      }
    },
    {
      name: "L4 encode and decode are inverse for every event and state",
      check: (commands) => {
        const { events, states } = trace(decider, commands)
        for (const event of events) {
          const { data, ...stored } = codec.encode(event)
          insist(Equal.equals(codec.decode({ ...stored, data: viaJson(data) }), event), "event", event)
        }
        for (const state of states) insist(Equal.equals(restore(state), state), "state", state)
      }
    }
  ]
}
