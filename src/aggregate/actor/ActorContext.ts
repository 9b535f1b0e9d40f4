/** Everything that an actor needs of the registry that it runs in: services, limits, and who is told of what it does. */
import type { Effect, Exit, Semaphore } from "effect"
import type { EventStore } from "../../eventstore/EventStore.ts"
import type { StreamId } from "../../eventstore/StreamId.ts"
import type { AggregateLimits } from "../AggregateLimits.ts"
import type { ActorMetrics } from "../AggregateMetrics.ts"
import type { Snapshots } from "../Snapshots.ts"

export interface ActorContext {
  readonly store: EventStore["Service"]
  readonly snapshots: Snapshots["Service"]
  readonly limits: AggregateLimits
  readonly metrics: ActorMetrics
  /** One permit for each activation that may run at once. */
  readonly activations: Semaphore.Semaphore
  /** Runs an effect that nobody waits for. */
  background(effect: Effect.Effect<void>): void
  /** Is told of every answer, once. */
  answered(streamId: StreamId, exit: Exit.Exit<unknown, unknown>): void
  /** Is told of every defect, once, however many commands it fails. */
  crashed(streamId: StreamId): void
  /** Is told of the actor's end, in the same synchronous step in which the actor's last envelopes are answered. */
  ended(actor: { readonly streamId: StreamId; readonly mailbox: unknown }): void
}
