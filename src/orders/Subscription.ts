/** What a subscriber of order events asks for and gets, in process and from afar. */
import { type Duration, Effect, Result, Schema, type Scope, Stream } from "effect"
import type { PublishedEvent } from "../aggregate/PublishedEvent.ts"

export interface SubscribeOptions {
  /** The last position the subscriber has seen; 0 = from the beginning. None: from now on. */
  readonly after?: bigint
  /** Only events of this order. */
  readonly orderId?: string
  /** Only events of orders of this customer. */
  readonly customerId?: string
  /** Only these, as in `order.placed.v1`. */
  readonly types?: ReadonlyArray<string>
  /** Of which streams; `["order"]` by default. */
  readonly categories?: ReadonlyArray<string>
  /** How often to say how far the subscription is; 15 s by default. */
  readonly heartbeat?: Duration.Input
}

/**
 * - `Event`: unless it is `ahead`, a query of the order view that is asked now contains it. `ahead` = the view is being
 *   caught up or repaired, and does not have it yet.
 * - `CaughtUp`: once, when everything that was there has been sent; what comes from here on is new.
 * - `Heartbeat`: every so often. A subscription that goes on after this `position` misses nothing.
 */
export type Push =
  | { readonly _tag: "Event"; readonly event: PublishedEvent; readonly ahead: boolean }
  | { readonly _tag: "CaughtUp"; readonly position: bigint }
  | { readonly _tag: "Heartbeat"; readonly position: bigint }

/** Where to go on from after it. */
export const positionOf = (push: Push): bigint => (push._tag === "Event" ? push.event.position : push.position)

/** Only the events, of whatever gives the subscription. */
export const events =
  <E>(subscribe: (options?: SubscribeOptions) => Effect.Effect<Stream.Stream<Push, E>, E, Scope.Scope>) =>
  (options?: SubscribeOptions): Stream.Stream<PublishedEvent, E> =>
    Stream.unwrap(subscribe(options)).pipe(
      Stream.filterMap((push) => (push._tag === "Event" ? Result.succeed(push.event) : Result.failVoid))
    )

/** The log does not go that far: the position is of another log. Or there can't be such a position: -1. */
export class InvalidPosition extends Schema.TaggedError<InvalidPosition>()(
  "InvalidPosition",
  { position: Schema.BigInt },
  { httpApiStatus: 400 }
) {
  override get message() {
    return `position ${this.position} is none of this log, or above its head; subscribe without one, or after one that it gave`
  }
}
