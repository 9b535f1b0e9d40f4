import type { Exit, Semaphore } from "effect"
import type { Entry } from "../../eventstore/EventStore.ts"
import type { StreamId } from "../../eventstore/StreamId.ts"
import type { AggregateLimits } from "../AggregateLimits.ts"
import type { MemoryContext } from "./ActorState.ts"

/** What an actor needs of its registry. */
export interface ActorContext extends MemoryContext {
  readonly limits: AggregateLimits
  readonly activations: Semaphore.Semaphore
  /** Told of an actor that begins without reading anything. */
  activated(source: "new" | "log" | "snapshot"): void
  /** Told of the events of an entry that the log has stored. */
  appended(entry: Entry): void
  /** Told of an append that lost a race. */
  lost(): void
  /** Told of every answer, once. */
  answered(streamId: StreamId, exit: Exit.Exit<unknown, unknown>): void
  /** Told of every defect, once, however many commands it fails. */
  crashed(streamId: StreamId): void
  /** Told of the actor's end, in the same synchronous step in which its last envelopes are answered. */
  ended(actor: { readonly streamId: StreamId; readonly mailbox: unknown }): void
}
