/** Lists the problem types of the order's and the catalog's own rejections, in the form of `Problems`. */
import { UnknownCustomer, UnknownProduct } from "../../catalog/Catalog.ts"
import { CustomerNotFound } from "../../catalog/Customer.ts"
import { ProductNotFound } from "../../catalog/Product.ts"
import * as Rejection from "../../order/OrderRejection.ts"
import { OrderActions } from "../api/OrderDocument.ts"
import { problem } from "./Problem.ts"

export const OrderProblems = {
  OrderNotFound: problem(Rejection.OrderNotFound, "order-not-found", "Order not found", {
    when: "There is no order with this id.",
    remedy: "Check the id, or place the order first."
  }),
  LineNotFound: problem(Rejection.LineNotFound, "line-not-found", "Line not found", {
    when: "The order has no line with this id, or has it no longer.",
    remedy: "Read the order and use the lineId of one of its lines."
  }),
  ShipmentNotFound: problem(Rejection.ShipmentNotFound, "shipment-not-found", "Shipment not found", {
    when: "The order has no shipment with this id.",
    remedy: "Read the order and use the shipmentId of one of its shipments."
  }),
  PaymentNotFound: problem(Rejection.PaymentNotFound, "payment-not-found", "Payment not found", {
    when: "The order has no payment with this id.",
    remedy: "Read the order and use the paymentId of one of its payments, or authorize a payment first."
  }),
  ProductNotFound: problem(ProductNotFound, "product-not-found", "Product not found", {
    when: "There never was a product with this id.",
    remedy: "Check the id, or save the product first."
  }),
  CustomerNotFound: problem(CustomerNotFound, "customer-not-found", "Customer not found", {
    when: "There never was a customer with this id.",
    remedy: "Check the id, or save the customer first."
  }),
  InvalidTransition: problem(
    Rejection.InvalidTransition,
    "invalid-transition",
    "Not in this status",
    {
      when: "The order's status forbids this command, which could succeed in another status; nothing was done.",
      remedy:
        "Send one of the commands in `allowed`, for which `actions` has method and path, or wait until the order's status changes."
    },
    { added: { actions: OrderActions } }
  ),
  OrderAlreadyShipped: problem(Rejection.OrderAlreadyShipped, "already-shipped", "Already shipped", {
    when: "The order can't be cancelled, because something of it has been shipped.",
    remedy: "Follow `hint`: cancel the items that are left, or take shipped items back."
  }),
  LastLine: problem(Rejection.LastLine, "last-line", "Last line of the order", {
    when: "The line is the only one of the order, and an order can't be without lines.",
    remedy: "Cancel the order, or add another line first."
  }),
  QuantityExceeded: problem(Rejection.QuantityExceeded, "quantity-exceeded", "Quantity exceeded", {
    when: "The request asks for more than is left to cancel, ship or return.",
    remedy: "Ask for at most the quantity that `items` gives as available; if `items` is empty, nothing is left."
  }),
  AmountExceeded: problem(Rejection.AmountExceeded, "amount-exceeded", "Amount exceeded", {
    when: "The request asks for more than is left to authorize, capture or refund.",
    remedy: "Ask for at most `available`; if that is 0, nothing is left."
  }),
  PaymentClosed: problem(Rejection.PaymentClosed, "payment-closed", "Payment closed", {
    when: "The payment is voided, or all of it is captured; `command` says what could not be done with it.",
    remedy:
      "To capture, authorize another payment; to void, refund what was captured; to refund, name a payment that holds money."
  }),
  PaymentRequiredBeforeShipment: problem(
    Rejection.PaymentRequiredBeforeShipment,
    "payment-required-before-shipment",
    "Payment required before shipment",
    {
      when: "The order is shipped only when what it costs is authorized or captured; `required` says which.",
      remedy: "Authorize or capture the amount in `missing`, then ship."
    }
  ),
  OrderExists: problem(Rejection.OrderExists, "order-exists", "Order exists", {
    when: "Another order was placed under this id before.",
    remedy: "Choose another orderId, or leave it out and get one."
  }),
  IdReused: problem(Rejection.IdReused, "id-reused", "Id reused", {
    when: "The order already has a line, shipment, payment or other part with this id, but with other content.",
    remedy: "Choose another id; the same id is only for sending the same request again."
  }),
  OrderTooLong: problem(Rejection.OrderTooLong, "order-too-long", "Order too long", {
    when: "The order has as many events as an order may have; nothing was done.",
    remedy: "Place another order and continue with that one."
  }),
  InvalidOrder: problem(Rejection.InvalidOrder, "invalid-order", "Invalid order", {
    when: "The request could be read, but such an order or change is not valid in any status.",
    remedy: "Correct what `errors` names."
  }),
  UnknownProduct: problem(UnknownProduct, "unknown-product", "Unknown product", {
    when: "A product of the request is not in the catalog, or was withdrawn.",
    remedy: "Order products that are in the catalog; GET /products?withdrawn=false lists them."
  }),
  UnknownCustomer: problem(UnknownCustomer, "unknown-customer", "Unknown customer", {
    when: "The customer is not in the catalog, or was withdrawn.",
    remedy: "Order for a customer who is in the catalog, or save the customer first."
  })
}
