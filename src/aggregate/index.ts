/**
 * Entry point `ordinal/aggregate`: aggregates of your own. An `Aggregate` is a decider with its codec; `Commands` submits
 * commands to it, each at most once per idempotency key; `Aggregates` is below that and reads states as well.
 */
export type { Aggregate, Decider, SnapshotPolicy } from "./Aggregate.ts"
export type { ActorInfo, ActorReport } from "./actor/ActorCache.ts"
export type {
  Accepted,
  CommandAlreadyAccepted,
  Keyed,
  KeyedError,
  Precondition,
  SendOptions
} from "./actor/Envelope.ts"
export { AggregateLimits } from "./AggregateLimits.ts"
export { Aggregates } from "./Aggregates.ts"
export { InvalidRequest } from "./InvalidRequest.ts"
export * from "./CommandErrors.ts"
export * as EventCodec from "./EventCodec.ts"
export type { PublishedEvent } from "./PublishedEvent.ts"
export { type Snapshot, Snapshots } from "./Snapshots.ts"
export * as SqlSnapshots from "./SqlSnapshots.ts"
export * as Upcaster from "./Upcaster.ts"
export {
  type CommandOptions,
  Commands,
  type ReceiptBase,
  type Submission,
  type Submitted
} from "./idempotency/Commands.ts"
export { Guarded } from "./idempotency/Guarded.ts"
