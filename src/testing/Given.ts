/**
 * Tests a decider without a kernel or an event store: given these events, when this command comes, then these events or
 * this rejection follow. (Given-when-then for event-sourced aggregates, after Greg Young.)
 */
import type { Result } from "effect"
import type { Decider } from "../aggregate/Aggregate.ts"

/**
 * Gives the time (ISO 8601, UTC) of the event with this index in a test: events are one second apart, from 2026-01-01
 * on.
 */
export const timeOf = (index: number): string => new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString()

/**
 * Folds events into the state that they lead to, each at its `timeOf`.
 *
 * ```ts
 * import { fold } from "ordinal/testing"
 * import { OrderDecider } from "ordinal/order"
 *
 * const absent = fold(OrderDecider, []) // => OrderDecider.initialState
 * ```
 */
export const fold = <State, Event>(
  decider: Pick<Decider<State, never, Event, unknown>, "evolve" | "initialState">,
  events: ReadonlyArray<Event>
): State => events.reduce((state, event, index) => decider.evolve(state, event, timeOf(index)), decider.initialState)

export interface Given<State, Command, Event, Rejection> {
  /** The given events lead to this state. */
  readonly state: State
  /** Decides a command on that state: a success with its events, none if there is nothing to do, or a rejection. */
  when(command: Command): Result.Result<ReadonlyArray<Event>, Rejection>
}

/**
 * Begins a test of a decider with the events that have happened so far.
 *
 * ```ts
 * import { given, orderId } from "ordinal/testing"
 * import { OrderDecider } from "ordinal/order"
 *
 * const rejected = given(OrderDecider, []).when({ _tag: "ConfirmOrder", orderId }) // fails with OrderNotFound
 * ```
 */
export const given = <State, Command, Event, Rejection>(
  decider: Decider<State, Command, Event, Rejection>,
  events: ReadonlyArray<Event>
): Given<State, Command, Event, Rejection> => {
  const state = fold(decider, events)
  return { state, when: (command) => decider.decide(command, state) }
}
