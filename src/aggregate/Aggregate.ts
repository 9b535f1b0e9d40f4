/**
 * An aggregate as a plain value: everything that the kernel needs to host one type. Hosting one's own needs no
 * registration; an aggregate is given to `Aggregates.send` or `Commands.submit` with each command.
 */
import type { Result, Schema } from "effect"
import type { StreamId } from "../eventstore/StreamId.ts"
import * as StreamIds from "../eventstore/StreamId.ts"
import type { EventCodec } from "./EventCodec.ts"

/**
 * The pure rules of one aggregate: synchronous, deterministic, without clock, random numbers or I/O. Ids arrive in the
 * command, times in the envelope of the event. (The decider pattern of Jérémie Chassaing.)
 */
export interface Decider<State, Command, Event, Rejection> {
  readonly initialState: State
  /** Decides a command: its events, none if there is nothing to do, or a rejection. It never throws. */
  decide(command: Command, state: State): Result.Result<ReadonlyArray<Event>, Rejection>
  /**
   * Folds one event into the state. It is total on every event that `decide` emits. `recordedAt` (ISO 8601, UTC) is
   * provisional while later commands of the same drain are decided, so `decide` must not look at a time.
   */
  evolve(state: State, event: Event, recordedAt: string): State
}

/** Says how the state is saved, to shorten the replay of long streams. */
export interface SnapshotPolicy<State> {
  /** The number of events from one snapshot to the next. */
  readonly every: number
  readonly schema: Schema.Codec<State, unknown>
  /** Raise this version when `evolve` makes another state of the same events: older snapshots are then ignored. */
  readonly foldVersion: number
}

export interface Aggregate<State, Command, Event, Rejection> {
  /** Lower-case letters; the prefix of the stream id. */
  readonly category: string
  readonly decider: Decider<State, Command, Event, Rejection>
  readonly codec: EventCodec<Event>
  /** The stream holds data of this customer, whose id is written into every event's metadata. */
  readonly owner?: (state: State) => string | undefined
  /** Without a policy the whole stream is replayed at each activation. */
  readonly snapshots?: SnapshotPolicy<State>
}

export const streamId = (aggregate: { readonly category: string }, id: string): StreamId =>
  StreamIds.make(aggregate.category, id)
