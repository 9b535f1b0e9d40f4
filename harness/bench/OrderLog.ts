/** A log full of orders that have come a long way: five events each, those of 500 orders side by side. */
import { Effect } from "effect"
import { SecureRandom } from "effect/crypto"
import { type Entry, EventStore, type NewEvent } from "../../src/eventstore/EventStore.ts"
import * as StreamId from "../../src/eventstore/StreamId.ts"
import { OrderAggregate } from "../../src/order/OrderAggregate.ts"
import { LineId, OrderId, PaymentId, ShipmentId } from "../../src/order/OrderId.ts"
import type { OrderEvent } from "../../src/order/OrderEvent.ts"
import * as CommandPaths from "./CommandPaths.ts"

const sideBySide = 500
export const eventsPerOrder = 5

const paymentId = PaymentId.make("payment-1")
const shipmentId = ShipmentId.make("shipment-1")
const items: Extract<OrderEvent, { _tag: "ItemsShipped" }>["items"] = [
  { lineId: LineId.make("line_1"), quantity: 2 },
  { lineId: LineId.make("line_2"), quantity: 1 }
]

/** The events of an order in their order; the first share of them is stored at once. */
const steps: ReadonlyArray<(orderId: OrderId) => ReadonlyArray<OrderEvent>> = [
  (orderId) => [{ ...CommandPaths.placedEvent(orderId) }, { _tag: "OrderConfirmed", total: 5_000 }],
  () => [{ _tag: "PaymentAuthorized", paymentId, amount: 5_000 }],
  () => [{ _tag: "ItemsShipped", shipmentId, items, carrier: "DHL" }],
  () => [{ _tag: "ShipmentDelivered", shipmentId }]
]

const newEvent = (event: OrderEvent): NewEvent => ({
  eventId: SecureRandom.uuidV7Unsafe(),
  ...OrderAggregate.codec.encode(event)
})

const entriesOf = (orderIds: ReadonlyArray<OrderId>): ReadonlyArray<ReadonlyArray<Entry>> => {
  let expected = 0
  return steps.map((step) => {
    const entries = orderIds.map((orderId): Entry => {
      const commandId = SecureRandom.uuidV7Unsafe()
      return {
        streamId: StreamId.make("order", orderId),
        expected,
        commandId,
        events: step(orderId).map(newEvent),
        metadata: { commandId, correlationId: commandId, causationId: commandId }
      }
    })
    expected += entries[0]?.events.length ?? 0
    return entries
  })
}

/** Appends so many events, about; the log's last position then. */
export const fill = Effect.fnUntraced(function* (events: number) {
  const log = yield* EventStore
  for (let filled = 0; filled < events; filled += sideBySide * eventsPerOrder) {
    const orderIds = Array.from({ length: sideBySide }, () => OrderId.make(`ord_${SecureRandom.uuidV7Unsafe()}`))
    for (const entries of entriesOf(orderIds)) yield* log.append(entries, 600_000)
  }
  return (yield* log.head).position
})
