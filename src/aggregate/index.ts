/**
 * Entry point `ordinal/aggregate`: aggregates of your own. `Aggregate.Service` makes one a service of its schemas and rules.
 * `Commands` and `Aggregates` are below that, for who needs a receipt of their own, or many types of aggregates in one call.
 */
export * as Aggregate from "./Aggregate.ts"
export {
  AggregateHost,
  type AggregateService,
  type Answer,
  type CommandFailure,
  type CommandOptions,
  type Current,
  type Definition,
  type SendOptions,
  type Stored
} from "./AggregateService.ts"
export type { ActorInfo, ActorReport } from "./actor/ActorCache.ts"
export type { Accepted, CommandAlreadyAccepted, Keyed, KeyedError, Precondition } from "./actor/Envelope.ts"
export { AggregateLimits } from "./AggregateLimits.ts"
export { Aggregates } from "./Aggregates.ts"
export { InvalidRequest } from "./InvalidRequest.ts"
export * from "./CommandErrors.ts"
export * as EventCodec from "./EventCodec.ts"
export type { PublishedEvent } from "./PublishedEvent.ts"
export { type Snapshot, Snapshots } from "./Snapshots.ts"
export * as SqlSnapshots from "./SqlSnapshots.ts"
export * as Upcaster from "./Upcaster.ts"
export { Commands, type ReceiptBase, type Submission, type Submitted } from "./idempotency/Commands.ts"
export { Guarded } from "./idempotency/Guarded.ts"
