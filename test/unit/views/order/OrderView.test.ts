import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { OrderDecider } from "../../../../src/order/OrderDecider.ts"
import { OrderView, fromState } from "../../../../src/views/order/OrderView.ts"
import { timeOf } from "../../../../src/testing/Given.ts"
import { orderCommands, orderId } from "../../../../src/testing/OrderCommands.ts"
import { trace } from "../../../../src/testing/Trace.ts"
import * as given from "../../../../harness/orders/OrderHistory.ts"

describe("the order view", () => {
  it("has the shape of the contract, absent = not happened yet", () => {
    const order = given.orderAfter(given.place)
    const line = { cancelled: 0, shipped: 0, returned: 0 }
    assert.deepStrictEqual(fromState(order, timeOf(0)), {
      orderId,
      version: 1,
      status: "placed",
      paymentStatus: "unpaid",
      customerId: order.customerId,
      customerName: "Ada Lovelace",
      customerEmail: "ada@example.org",
      currency: order.currency,
      lines: [
        {
          lineId: given.mugs,
          productId: order.lines[0]!.productId,
          productName: "Product 1",
          quantity: 2,
          ...line,
          unitPrice: 1250,
          unitDiscount: 0,
          taxBps: 1900,
          net: 2500,
          tax: 475
        },
        {
          lineId: given.book,
          productId: order.lines[1]!.productId,
          productName: "The Book of Tea",
          quantity: 1,
          ...line,
          unitPrice: 1000,
          unitDiscount: 100,
          taxBps: 700,
          net: 900,
          tax: 63
        }
      ],
      totals: {
        subtotal: 3500,
        discount: 100,
        tax: 538,
        shipping: 0,
        total: 3938,
        returned: 0,
        owed: 3938,
        balanceDue: 3938
      },
      shippingAddress: given.place.shippingAddress,
      shipments: [],
      payments: [],
      returns: [],
      placedAt: timeOf(0),
      updatedAt: timeOf(0),
      allowed: [
        "AddLine",
        "ChangeLineQuantity",
        "RemoveLine",
        "ChangeShippingAddress",
        "ConfirmOrder",
        "CancelOrder",
        "AuthorizePayment"
      ]
    })
  })

  it("shows what was shipped, paid, delivered and returned", () => {
    const view = fromState(given.orderAfter(...given.history.returned), timeOf(7))
    const { items, returnId } = given.returnAll
    const { payment: paymentId, shipment: shipmentId } = given
    assert.deepStrictEqual(view.shipments, [{ shipmentId, items, shippedAt: timeOf(4), deliveredAt: timeOf(5) }])
    assert.deepStrictEqual(view.returns, [{ returnId, items, returnedAt: timeOf(6) }])
    assert.deepStrictEqual(view.payments, [{ paymentId, authorized: 2000, captured: 500, refunded: 0, voided: false }])
    assert.strictEqual(view.confirmedAt, timeOf(2))
    assert.deepStrictEqual(view.allowed, ["VoidPayment", "RefundPayment"])
  })

  it("shows why and when it was cancelled", () => {
    const view = fromState(given.orderAfter(...given.history.cancelled), timeOf(4))
    assert.deepStrictEqual(view.cancellation, { reason: "customer_request", cancelledAt: timeOf(4) })
  })

  it.effect.prop("is valid JSON of its schema, in its order, in every state", [orderCommands], ([commands]) =>
    Effect.sync(() => {
      for (const state of trace(OrderDecider, commands).states) {
        if (state._tag === "Absent") continue
        const view = fromState(state, timeOf(0))
        const text = JSON.stringify(Schema.encodeSync(OrderView)(view))
        assert.strictEqual(JSON.stringify(view), text)
        const json = JSON.parse(text)
        assert.deepStrictEqual(Schema.decodeUnknownSync(OrderView)(json), view)
      }
    })
  )
})
