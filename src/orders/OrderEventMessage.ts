/**
 * Gives the events of orders that a subscriber receives their types: `event.type` then says what `event.data` is.
 * The HTTP API describes its CloudEvents by the same table.
 */
import type { PublishedEvent } from "../aggregate/PublishedEvent.ts"
import { ItemsReturnedV1, OrderEvent } from "../order/OrderEvent.ts"

const { cases } = OrderEvent

/** Every type of event that a log of orders can hold, with its data, which has no `_tag` outside. */
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
