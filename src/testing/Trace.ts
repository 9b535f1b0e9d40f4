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

/** Rules may throw where they must not. The trace ends there. */
export interface Thrown<Command, Event> {
  readonly error: unknown
  readonly command: Command
  /** `evolve` threw at this event; undefined if `decide` threw. */
  readonly event: Event | undefined
}

export interface Trace<State, Command, Event, Rejection> {
  readonly steps: ReadonlyArray<Step<State, Command, Event, Rejection>>
  readonly events: ReadonlyArray<Event>
  /** The aggregate was in each of these states, the initial one first: one more than there are events. */
  readonly states: ReadonlyArray<State>
}

/** A trace that is still being written. */
export interface Recorder<State, Command, Event, Rejection> {
  readonly trace: Trace<State, Command, Event, Rejection> & { readonly thrown: Thrown<Command, Event> | undefined }
  /** Decides the next command; does nothing once a rule has thrown. */
  record(command: Command): void
}

/** Runs rules without the stack traces of the rejections that they make, which take longer than the rules. */
export const withoutStacks = <A>(run: () => A): A => {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    return run()
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
}

/** Freezes a value with all that it holds. */
export const freeze = <Value>(value: Value): Value => {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(freeze)
  }
  return value
}

/** Begins a trace. Commands, events and states are frozen, so a rule that writes into one throws. */
export const recorder = <State, Command, Event, Rejection>(
  { decide, evolve, initialState }: Decider<State, Command, Event, Rejection>,
  time: (index: number) => string = timeOf
): Recorder<State, Command, Event, Rejection> => {
  const steps: Array<Step<State, Command, Event, Rejection>> = []
  const events: Array<Event> = []
  const states: Array<State> = [freeze(initialState)]
  const trace = { steps, events, states, thrown: undefined as Thrown<Command, Event> | undefined }
  let state = initialState
  const record = (command: Command): void => {
    const before = state
    const stored: Array<{ readonly event: Event; readonly after: State }> = []
    let current: Event | undefined
    try {
      const decision = withoutStacks(() => decide(freeze(command), before))
      for (const event of Result.isSuccess(decision) ? freeze(decision.success) : []) {
        current = event
        state = freeze(evolve(state, event, time(events.length)))
        events.push(event)
        states.push(state)
        stored.push({ event, after: state })
      }
      steps.push({ before, command, decision, events: stored, after: state })
    } catch (error) {
      trace.thrown = { error, command, event: current }
    }
  }
  return { trace, record: (command) => (trace.thrown === undefined ? record(command) : undefined) }
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
  const { record, trace } = recorder(decider)
  commands.forEach(record)
  if (trace.thrown !== undefined) throw trace.thrown.error
  return trace
}
