/** What happened as commands were decided one after another: the material the laws are checked on. */
import { Result } from "effect"
import type { Decider } from "../aggregate/Aggregate.ts"
import { timeOf } from "./Given.ts"

export interface Step<State, Command, Event, Rejection> {
  readonly before: State
  readonly command: Command
  readonly decision: Result.Result<ReadonlyArray<Event>, Rejection>
  /** Each event with the state after it. */
  readonly events: ReadonlyArray<{ readonly event: Event; readonly after: State }>
  readonly after: State
}

export interface Trace<State, Command, Event, Rejection> {
  readonly steps: ReadonlyArray<Step<State, Command, Event, Rejection>>
  readonly events: ReadonlyArray<Event>
  /** Every state the aggregate was in, the initial one first: one more than events. */
  readonly states: ReadonlyArray<State>
}

const freeze = <Value>(value: Value): Value => {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(freeze)
  }
  return value
}

/** States are frozen, so rules that write into them throw. */
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
