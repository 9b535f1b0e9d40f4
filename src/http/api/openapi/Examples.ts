/**
 * Gives an example of each body, by the id of its operation. With the demo catalog they can be sent one after the other,
 * as they are, in the order of the document; `orders.cancel` instead of what follows it.
 */
import { orderId } from "./Field.ts"

const shippingAddress = {
  name: "Ada Lovelace",
  line1: "1 Mill Lane",
  city: "London",
  postalCode: "N1 9GU",
  country: "GB"
}
const items = [{ lineId: "line_1", quantity: 1 }]

export const bodies: Readonly<Record<string, object>> = {
  "orders.place": {
    orderId,
    customerId: "ada",
    currency: "EUR",
    lines: [
      { lineId: "line_1", productId: "mug", quantity: 2 },
      { lineId: "line_2", productId: "tea", quantity: 1 }
    ],
    shippingAddress,
    confirm: false
  },
  "orders.addLine": { lineId: "line_3", productId: "book", quantity: 1 },
  "orders.changeLineQuantity": { quantity: 3 },
  "orders.changeShippingAddress": { ...shippingAddress, line2: "2nd floor" },
  "orders.cancel": { reason: "customer_request", note: "Ordered twice by mistake." },
  "fulfilment.cancelItems": { cancellationId: "cancellation_1", items, reason: "One is out of stock." },
  "fulfilment.ship": { shipmentId: "shipment_1", items, carrier: "DHL", tracking: "JJD000390007" },
  "fulfilment.returnItems": { returnId: "return_1", items, reason: "It arrived broken." },
  "fulfilment.authorizePayment": { paymentId: "payment_1", amount: 1000, provider: "adyen", reference: "8835-5511" },
  "fulfilment.capturePayment": { captureId: "capture_1", amount: 600 },
  "fulfilment.refundPayment": { refundId: "refund_1", amount: 500, reason: "It arrived broken." },
  "catalog.saveProduct": { name: "Mug", unitPrice: 1250, currency: "EUR", taxBps: 1900 },
  "catalog.saveCustomer": { name: "Ada Lovelace", email: "ada@example.org" }
}
