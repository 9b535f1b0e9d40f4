/** Describes the CloudEvents of every event type, with its data, for the OpenAPI document and docs/events.md. */
import { Schema } from "effect"
import { CustomerEvent } from "../../../catalog/Customer.ts"
import { ProductEvent } from "../../../catalog/Product.ts"
import { orderEventData } from "../../../orders/Subscription.ts"
import { PushedCloudEvent } from "../../wire/PushMessage.ts"

const meanings: Readonly<Record<string, string>> = {
  "order.placed.v1": "An order was placed.",
  "order.line-added.v1": "A line was added.",
  "order.line-quantity-changed.v1": "The quantity of a line was changed.",
  "order.line-removed.v1": "A line was removed.",
  "order.shipping-address-changed.v1": "The order is to be shipped to another address.",
  "order.confirmed.v1": "The order was confirmed, so its lines are final.",
  "order.payment-authorized.v1": "A payment was authorized.",
  "order.payment-captured.v1": "Money of a payment was captured.",
  "order.payment-voided.v1": "What was not captured of a payment was released.",
  "order.payment-refunded.v1": "Captured money was given back.",
  "order.items-shipped.v1": "Items were shipped.",
  "order.shipment-delivered.v1": "A shipment was delivered.",
  "order.items-returned.v1": "Items of one line came back. Only in logs of older programs.",
  "order.items-returned.v2": "Items came back.",
  "order.items-cancelled.v1": "Items that were not shipped were cancelled.",
  "order.cancelled.v1": "The whole order was cancelled.",
  "product.saved.v1": "A product was saved, for the first time or with other details.",
  "product.withdrawn.v1": "A product was withdrawn, so it can't be ordered any more.",
  "customer.saved.v1": "A customer was saved, for the first time or with other details.",
  "customer.withdrawn.v1": "A customer was withdrawn, and can't order any more."
}

const data: Readonly<Record<string, { readonly fields: Schema.Struct.Fields }>> = {
  ...orderEventData,
  "product.saved.v1": ProductEvent.cases.ProductSaved,
  "product.withdrawn.v1": ProductEvent.cases.ProductWithdrawn,
  "customer.saved.v1": CustomerEvent.cases.CustomerSaved,
  "customer.withdrawn.v1": CustomerEvent.cases.CustomerWithdrawn
}

/** Names the schema of a type of events, as `OrderItemsShippedV1` for `order.items-shipped.v1`. */
const componentOf = (type: string): string =>
  type.replace(/(?:^|[.-])([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** Lists the types of events, with the names of their components. */
export const eventTypes = Object.keys(data).map((type) => ({ type, component: componentOf(type) }))

export const eventSchemas = Object.entries(data).map(([type, { fields }]) => {
  const { _tag, ...members } = fields
  return Schema.Struct({
    ...PushedCloudEvent.fields,
    type: Schema.Literal(type),
    data: Schema.Struct(members)
  }).annotate({
    identifier: componentOf(type),
    description: meanings[type] ?? type
  })
})
