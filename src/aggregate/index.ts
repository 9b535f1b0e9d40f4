/**
 * Entry point `ordinal/aggregate`: aggregates of your own. An `Aggregate` is a decider with its codecs; `Aggregates` sends
 * it commands, each through the one actor of its stream; `KeyedCommands` lets a command take effect at most once per key.
 */
export type { Aggregate, SnapshotPolicy } from "./Aggregate.ts"
export type { ActorInfo, ActorReport } from "./actor/ActorCache.ts"
export type { Accepted, CommandAlreadyAccepted, Keyed, KeyedError } from "./actor/Envelope.ts"
export { AggregateLimits } from "./AggregateLimits.ts"
export { Aggregates, type SendOptions } from "./Aggregates.ts"
export * from "./CommandErrors.ts"
export type { Decider } from "./Decider.ts"
export * as EventCodec from "./EventCodec.ts"
export type { PublishedEvent } from "./PublishedEvent.ts"
export { type Snapshot, Snapshots } from "./Snapshots.ts"
export * as SqlSnapshots from "./SqlSnapshots.ts"
export * as Upcaster from "./Upcaster.ts"
export * as CommandIdentity from "./idempotency/CommandIdentity.ts"
export { KeyedCommands, type Once, type OnceError, type Remembered } from "./idempotency/KeyedCommands.ts"
export type { CommandOptions } from "./idempotency/Submission.ts"
