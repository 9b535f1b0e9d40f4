/** Defines the answers to commands that are accepted and stored. `events` is empty if there was nothing to do. */
import { Schema } from "effect"
import { HttpApiSchema } from "effect/http-api"
import { CustomerId, OrderId, ProductId } from "../../order/OrderId.ts"
import { OrderStatus, PaymentStatus } from "../../order/OrderStatus.ts"

const common = {
  version: Schema.Int,
  position: Schema.Int,
  commandId: Schema.String,
  events: Schema.Array(Schema.String)
}

export const OrderReceipt = Schema.Struct({
  orderId: OrderId,
  ...common,
  status: OrderStatus,
  paymentStatus: PaymentStatus,
  links: Schema.Struct({ self: Schema.String, monitor: Schema.String })
}).annotate({ identifier: "OrderReceipt" })
export type OrderReceipt = typeof OrderReceipt.Type

export const ProductReceipt = Schema.Struct({ productId: ProductId, ...common }).annotate({
  identifier: "ProductReceipt"
})

export const CustomerReceipt = Schema.Struct({ customerId: CustomerId, ...common }).annotate({
  identifier: "CustomerReceipt"
})

export const accepted = HttpApiSchema.status(202)
