/** Everything the kernel needs to host one type of aggregate. A plain value: hosting one's own needs no registration. */
import type { Schema } from "effect"
import type { StreamId } from "../eventstore/StreamId.ts"
import * as StreamIds from "../eventstore/StreamId.ts"
import type { Decider } from "./Decider.ts"
import type { EventCodec } from "./EventCodec.ts"

/** How the state is saved, to shorten the replay of long streams. */
export interface SnapshotPolicy<State> {
  /** Events from one snapshot to the next. */
  readonly every: number
  readonly schema: Schema.Codec<State, unknown>
  /** Raise it when `evolve` makes another state of the same events, so that older snapshots are ignored. */
  readonly foldVersion: number
}

export interface Aggregate<State, Command, Event, Rejection> {
  /** Lower-case letters; the prefix of the stream id. */
  readonly category: string
  readonly decider: Decider<State, Command, Event, Rejection>
  readonly codec: EventCodec<Event>
  /** The customer whose data the stream holds, stamped on every event's metadata. */
  readonly owner?: (state: State) => string | undefined
  /** Absent: the whole stream is replayed at each activation. */
  readonly snapshots?: SnapshotPolicy<State>
}

export const streamId = (aggregate: { readonly category: string }, id: string): StreamId =>
  StreamIds.make(aggregate.category, id)
