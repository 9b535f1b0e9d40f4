/**
 * Callers see an order in this shape, in single reads, lists, past versions and replies. It is a pure function of the
 * order's state.
 */
import { Schema } from "effect"
import { Address } from "../../order/Text.ts"
import { CancelReason } from "../../order/OrderEvent.ts"
import { type Item, Items, Line } from "../../order/Line.ts"
import { Amount, Currency } from "../../order/Money.ts"
import { allowed } from "../../order/rules/OrderAllowed.ts"
import { CommandName } from "../../order/OrderCommand.ts"
import { CustomerId, OrderId, PaymentId, ReturnId, ShipmentId } from "../../order/OrderId.ts"
import { defaultPolicies, type OrderPolicies } from "../../order/OrderPolicies.ts"
import {
  type Cancellation,
  type Order,
  type OrderLine,
  OrderState,
  type Payment,
  type Return,
  type Shipment
} from "../../order/OrderState.ts"
import { OrderStatus, PaymentStatus, paymentStatus, status } from "../../order/OrderStatus.ts"
import * as OrderTotals from "../../order/OrderTotals.ts"
import { readStored } from "../../projection/view/ViewQuery.ts"

const Time = Schema.String
const optional = Schema.optionalKey

export const OrderLineView = Schema.Struct({
  lineId: Line.fields.lineId,
  productId: Line.fields.productId,
  productName: Schema.String,
  /** So many pieces were ordered; `cancelled`, `shipped` and `returned` are counted beside it. */
  quantity: Schema.Int,
  cancelled: Schema.Int,
  shipped: Schema.Int,
  returned: Schema.Int,
  unitPrice: Amount,
  unitDiscount: Amount,
  taxBps: Schema.Int,
  net: Amount,
  tax: Amount
})

const ShipmentView = Schema.Struct({
  shipmentId: ShipmentId,
  items: Items,
  carrier: optional(Schema.String),
  tracking: optional(Schema.String),
  shippedAt: Time,
  deliveredAt: optional(Time)
})

const PaymentView = Schema.Struct({
  paymentId: PaymentId,
  authorized: Amount,
  captured: Amount,
  refunded: Amount,
  voided: Schema.Boolean
})

const ReturnView = Schema.Struct({
  returnId: ReturnId,
  items: Items,
  reason: optional(Schema.String),
  returnedAt: Time
})

export const OrderView = Schema.Struct({
  orderId: OrderId,
  version: Schema.Int,
  status: OrderStatus,
  paymentStatus: PaymentStatus,
  customerId: CustomerId,
  customerName: Schema.String,
  customerEmail: Schema.String,
  currency: Currency,
  lines: Schema.Array(OrderLineView),
  totals: OrderTotals.OrderTotals,
  shippingAddress: Address,
  shipments: Schema.Array(ShipmentView),
  payments: Schema.Array(PaymentView),
  returns: Schema.Array(ReturnView),
  cancellation: optional(Schema.Struct({ reason: CancelReason, note: optional(Schema.String), cancelledAt: Time })),
  placedAt: Time,
  confirmedAt: optional(Time),
  /** The order's last event was recorded at this time. */
  updatedAt: Time,
  /** These commands could store an event now. */
  allowed: Schema.Array(CommandName)
}).annotate({ identifier: "OrderView" })
export type OrderView = typeof OrderView.Type

const viewLine = (line: OrderLine): typeof OrderLineView.Type => ({
  lineId: line.lineId,
  productId: line.productId,
  productName: line.name,
  quantity: line.quantity,
  cancelled: line.cancelled,
  shipped: line.shipped,
  returned: line.returned,
  unitPrice: line.unitPrice,
  unitDiscount: line.unitDiscount,
  taxBps: line.taxBps,
  ...OrderTotals.ofLine(line)
})

const viewItem = ({ lineId, quantity }: Item): Item => ({ lineId, quantity })

/** Gives the items in their order, of which there is at least one. */
const viewItems = ([first, ...rest]: Items): Items => [viewItem(first), ...rest.map(viewItem)]

const viewShipment = (shipment: Shipment): typeof ShipmentView.Type => {
  const { carrier, deliveredAt, items, shipmentId, shippedAt, tracking } = shipment
  return {
    shipmentId,
    items: viewItems(items),
    ...(carrier === undefined ? {} : { carrier }),
    ...(tracking === undefined ? {} : { tracking }),
    shippedAt,
    ...(deliveredAt === undefined ? {} : { deliveredAt })
  }
}

const viewReturn = ({ items, reason, returnId, returnedAt }: Return): typeof ReturnView.Type => ({
  returnId,
  items: viewItems(items),
  ...(reason === undefined ? {} : { reason }),
  returnedAt
})

const viewAddress = ({ city, country, line1, line2, name, postalCode, region }: Address): Address => ({
  name,
  line1,
  ...(line2 === undefined ? {} : { line2 }),
  city,
  ...(region === undefined ? {} : { region }),
  postalCode,
  country
})

const viewCancellation = ({ cancelledAt, note, reason }: Cancellation): Cancellation => ({
  reason,
  ...(note === undefined ? {} : { note }),
  cancelledAt
})

const viewPayment = (payment: Payment): typeof PaymentView.Type => ({
  paymentId: payment.paymentId,
  authorized: payment.authorized,
  captured: payment.captured,
  refunded: payment.refunded,
  voided: payment.voided
})

/**
 * Makes the view of an order; `updatedAt` is the `recordedAt` of its last event. Every part is made anew in the order of
 * its schema, whatever order the events had, so that its JSON is always the same text.
 */
export const fromState = (order: Order, updatedAt: string, policies: OrderPolicies = defaultPolicies): OrderView => ({
  orderId: order.id,
  version: order.version,
  status: status(order),
  paymentStatus: paymentStatus(order),
  customerId: order.customerId,
  customerName: order.customer.name,
  customerEmail: order.customer.email,
  currency: order.currency,
  lines: order.lines.map(viewLine),
  totals: OrderTotals.ofOrder(order),
  shippingAddress: viewAddress(order.address),
  shipments: order.shipments.map(viewShipment),
  payments: order.payments.map(viewPayment),
  returns: order.returns.map(viewReturn),
  ...(order.cancellation === undefined ? {} : { cancellation: viewCancellation(order.cancellation) }),
  placedAt: order.placedAt,
  ...(order.confirmedAt === undefined ? {} : { confirmedAt: order.confirmedAt }),
  updatedAt,
  allowed: allowed(order, policies)
})

const readOrder = readStored(OrderState.cases.Order)

/** Makes the view of an order from a row, whose state somebody may have changed by hand; `undefined` if it is none. */
export const fromRow = (state: unknown, updatedAt: string, policies: OrderPolicies): OrderView | undefined =>
  readOrder(state, (order) => fromState(order, updatedAt, policies))
