/** Given these events, when this command, then …: a decider under test, without kernel or log. */
import type { Result } from "effect"
import type { Decider } from "../aggregate/Aggregate.ts"

/** The time of the nth event of a test: a second apart. */
export const timeOf = (index: number): string => new Date(Date.UTC(2026, 0, 1) + index * 1000).toISOString()

export const fold = <State, Event>(
  decider: Pick<Decider<State, never, Event, unknown>, "evolve" | "initialState">,
  events: ReadonlyArray<Event>
): State => events.reduce((state, event, index) => decider.evolve(state, event, timeOf(index)), decider.initialState)

export interface Given<State, Command, Event, Rejection> {
  readonly state: State
  when(command: Command): Result.Result<ReadonlyArray<Event>, Rejection>
}

export const given = <State, Command, Event, Rejection>(
  decider: Decider<State, Command, Event, Rejection>,
  events: ReadonlyArray<Event>
): Given<State, Command, Event, Rejection> => {
  const state = fold(decider, events)
  return { state, when: (command) => decider.decide(command, state) }
}
