/** Describes what a subscriber of order events asks for and gets, in process and remotely. */
import { type Duration, Effect, Result, type Scope, Stream } from "effect"
import type { PublishedEvent } from "../aggregate/PublishedEvent.ts"
import { ItemsReturnedV1, OrderEvent } from "../order/OrderEvent.ts"

export interface SubscribeOptions {
  /**
   * The subscription begins after this position, 0 being the beginning; without it, it begins now. It is the `token` of
   * a push, of an answer or of a receipt, which is refused if this log does not know it any more; a bare number is
   * taken without that protection.
   */
  readonly after?: string | bigint
  /** Leaves out events of other orders. */
  readonly orderId?: string
  /** Leaves out events of other customers' orders. */
  readonly customerId?: string
  /** Leaves out events of other types than these, as in `order.placed.v1`. */
  readonly types?: ReadonlyArray<string>
  /** Leaves out streams of other categories than these; `["order"]` by default. */
  readonly categories?: ReadonlyArray<string>
  /** The time between two heartbeats, each of which tells how far the subscription is; 15 s by default. */
  readonly heartbeat?: Duration.Input
}

/**
 * A subscription that goes on after a push's `token` misses nothing that follows the push.
 *
 * - `Event`: a query of the order view that is asked now contains the event, unless it is `ahead`: then the view is being
 *   caught up or repaired and does not have it yet.
 * - `CaughtUp`: comes once, when everything that was there has been sent; what follows is new.
 * - `Heartbeat`: comes first, with the position at which the subscription begins, and then every so often.
 */
export type Push = { readonly token: string } & (
  | { readonly _tag: "Event"; readonly event: PublishedEvent; readonly ahead: boolean }
  | { readonly _tag: "CaughtUp"; readonly position: bigint }
  | { readonly _tag: "Heartbeat"; readonly position: bigint }
)

/** Matches a position in text: a number, with its check if it has one. */
export const positionText = /^(?:0|[1-9][0-9]{0,17})(?:\.(?:[0-9a-f]{12}|[0-9a-f-]{36}))?$/

/** Reads where a subscription begins; the text matches `positionText`. */
export const parseAfter = (after: string | bigint): { readonly position: bigint; readonly check?: string } => {
  const [position = "", check] = String(after).split(".", 2)
  return { position: BigInt(position), ...(check === undefined ? {} : { check }) }
}

/** Gives the position to go on after, once the push is handled. */
export const positionOf = (push: Push): bigint => (push._tag === "Event" ? push.event.position : push.position)

/** Implements `Orders.events` by `Orders.subscribe`: keeps the events, and leaves `CaughtUp` and `Heartbeat` out. */
export const events =
  <E>(subscribe: (options?: SubscribeOptions) => Effect.Effect<Stream.Stream<Push, E>, E, Scope.Scope>) =>
  (options?: SubscribeOptions): Stream.Stream<PublishedEvent, E> =>
    Stream.unwrap(subscribe(options)).pipe(
      Stream.filterMap((push) => (push._tag === "Event" ? Result.succeed(push.event) : Result.failVoid))
    )

const { cases } = OrderEvent

/** Has every type of event that a log of orders can hold, with the schema of its data; outside it carries no `_tag`. */
export const orderEventData = {
  "order.placed.v1": cases.OrderPlaced,
  "order.line-added.v1": cases.LineAdded,
  "order.line-quantity-changed.v1": cases.LineQuantityChanged,
  "order.line-removed.v1": cases.LineRemoved,
  "order.shipping-address-changed.v1": cases.ShippingAddressChanged,
  "order.confirmed.v1": cases.OrderConfirmed,
  "order.payment-authorized.v1": cases.PaymentAuthorized,
  "order.payment-captured.v1": cases.PaymentCaptured,
  "order.payment-voided.v1": cases.PaymentVoided,
  "order.payment-refunded.v1": cases.PaymentRefunded,
  "order.items-shipped.v1": cases.ItemsShipped,
  "order.shipment-delivered.v1": cases.ShipmentDelivered,
  "order.items-returned.v1": ItemsReturnedV1,
  "order.items-returned.v2": cases.ItemsReturned,
  "order.items-cancelled.v1": cases.ItemsCancelled,
  "order.cancelled.v1": cases.OrderCancelled
}

export type OrderEventType = keyof typeof orderEventData

/** An event of an order. `switch (event.type)` tells what its data is. */
export type OrderEventMessage = {
  readonly [Type in OrderEventType]: Omit<PublishedEvent, "type" | "data"> & {
    readonly type: Type
    readonly data: Omit<(typeof orderEventData)[Type]["Encoded"], "_tag">
  }
}[OrderEventType]

/** Returns false for events of products and customers, and of types that only a newer program knows. */
export const isOrderEventMessage = (event: PublishedEvent | OrderEventMessage): event is OrderEventMessage =>
  Object.hasOwn(orderEventData, event.type)
