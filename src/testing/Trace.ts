/** Records what happens as commands are decided one after another. Laws are checked on such a trace. */
import { Result } from "effect"
import type { Decider } from "../aggregate/Aggregate.ts"
import { timeOf } from "./Given.ts"

/** A step is one command with its decision, and the states before and after it. */
export interface Step<State, Command, Event, Rejection> {
  readonly before: State
  readonly command: Command
  readonly decision: Result.Result<ReadonlyArray<Event>, Rejection>
  /** The command led to these events, each with the state after it; a rejection leads to none. */
  readonly events: ReadonlyArray<{ readonly event: Event; readonly after: State }>
  readonly after: State
}

export interface Trace<State, Command, Event, Rejection> {
  readonly steps: ReadonlyArray<Step<State, Command, Event, Rejection>>
  readonly events: ReadonlyArray<Event>
  /** The aggregate was in each of these states, the initial one first: one more than there are events. */
  readonly states: ReadonlyArray<State>
}

const freeze = <Value>(value: Value): Value => {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(freeze)
  }
  return value
}

/**
 * Decides the commands in turn, each on the state that the ones before it lead to. States are frozen, so a decider that
 * writes into one throws here.
 *
 * ```ts
 * import { orderId, trace } from "ordinal/testing"
 * import { OrderDecider } from "ordinal/order"
 *
 * const { events, states, steps } = trace(OrderDecider, [{ _tag: "ConfirmOrder", orderId }])
 * // no event, one state, one step whose decision is the rejection OrderNotFound
 * ```
 */
export const trace = <State, Command, Event, Rejection>(
  decider: Decider<State, Command, Event, Rejection>,
  commands: ReadonlyArray<Command>
): Trace<State, Command, Event, Rejection> => {
  const steps: Array<Step<State, Command, Event, Rejection>> = []
  const events: Array<Event> = []
  const states: Array<State> = [freeze(decider.initialState)]
  let state = decider.initialState
  for (const command of commands) {
    const before = state
    const decision = decider.decide(command, before)
    const stored = Result.isSuccess(decision)
      ? decision.success.map((event) => {
          state = freeze(decider.evolve(state, event, timeOf(events.length)))
          events.push(event)
          states.push(state)
          return { event, after: state }
        })
      : []
    steps.push({ before, command, decision, events: stored, after: state })
  }
  return { steps, events, states }
}
