/**
 * Entry point `ordinal/aggregate`: aggregates of your own. `Aggregate.Service` makes one a service of its schemas and rules.
 * Remote clients load this too, so what runs aggregates is not here but in `ordinal/kernel`.
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
  type NoRejection,
  type Rejected,
  type SendOptions,
  type Stored
} from "./AggregateService.ts"
export type { ActorInfo, ActorReport } from "./actor/ActorCache.ts"
export type { Accepted, CommandAlreadyAccepted, Keyed, KeyedError, Precondition } from "./actor/Envelope.ts"
export { AggregateLimits } from "./AggregateLimits.ts"
export { canonicalJson } from "./CanonicalJson.ts"
export { check as checkRequest, InvalidRequest, type Mistake } from "./InvalidRequest.ts"
export * from "./CommandErrors.ts"
export * as EventCodec from "./EventCodec.ts"
export { fromRecorded as publishedEvent, type PublishedEvent, wireType } from "./PublishedEvent.ts"
export * as Upcaster from "./Upcaster.ts"
export { Guarded } from "./idempotency/Guarded.ts"
