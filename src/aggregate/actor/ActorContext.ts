/**
 * Gives an actor everything that it needs of its registry: services, limits, and functions to report what the actor
 * does.
 */
import type { Clock, Effect, Exit, Semaphore } from "effect"
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
  readonly clock: Clock.Clock
  /** One permit for each activation that may run at once. */
  readonly activations: Semaphore.Semaphore
  /** Runs an effect in a fiber of the registry, and returns when the effect waits for the first time or ends. */
  run(effect: Effect.Effect<void, unknown>): void
  /** Runs an effect that nobody waits for. */
  background(effect: Effect.Effect<void>): void
  /** The actor calls this once for each answer that it gives; `isRead` says that nothing was to be decided. */
  answered(streamId: StreamId, exit: Exit.Exit<unknown, unknown>, isRead: boolean): void
  /** The actor calls this once for each defect that fails commands, however many they are. */
  crashed(streamId: StreamId): void
  /** The actor calls this when it has answered everything, in the step in which it looks whether more has come. */
  rested(actor: unknown): void
  /** The actor calls this when it fails, in the same synchronous step in which it answers its last envelopes. */
  failed(actor: unknown): void
}
