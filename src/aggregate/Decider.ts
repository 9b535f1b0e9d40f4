/**
 * Pure rules of one aggregate: synchronous, deterministic, no clock, no random, no I/O. Ids arrive in the command, times
 * in the envelope of the event.
 */
import type { Result } from "effect"

export interface Decider<State, Command, Event, Rejection> {
  readonly initialState: State
  /** No events = accepted, nothing to do. Never throws. */
  decide(command: Command, state: State): Result.Result<ReadonlyArray<Event>, Rejection>
  /**
   * Total on every event that `decide` emits. `recordedAt` (ISO 8601, UTC) is provisional while later commands of the
   * same drain are decided, so `decide` must not look at a time.
   */
  evolve(state: State, event: Event, recordedAt: string): State
}
