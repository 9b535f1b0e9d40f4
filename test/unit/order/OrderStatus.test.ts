import { assert, describe, it } from "@effect/vitest"
import type { OrderCommand } from "../../../src/order/OrderCommand.ts"
import { paymentStatus, status } from "../../../src/order/OrderStatus.ts"
import { orderId } from "../../../src/testing/OrderCommands.ts"
import * as given from "../../../harness/orders/OrderHistory.ts"

const [mug] = given.place.lines
const { payment: paymentId } = given
const authorizeAll = { ...given.authorize, amount: 3938 }
const captureAll: OrderCommand = { _tag: "CapturePayment", orderId, paymentId }
const refundAll: OrderCommand = { _tag: "RefundPayment", orderId, paymentId }
const voiding: OrderCommand = { _tag: "VoidPayment", orderId, paymentId }
const free: OrderCommand = { ...given.place, lines: [{ ...mug, unitDiscount: mug.unitPrice }] }
const confirmed = [given.place, given.confirm]
const paid = [...confirmed, authorizeAll, captureAll]

const cases: ReadonlyArray<readonly [string, ReadonlyArray<OrderCommand>]> = [
  ["unpaid", [given.place]],
  ["authorized", [given.place, given.authorize]],
  ["voided", [given.place, given.authorize, voiding]],
  ["partially_paid", [...confirmed, given.authorize, given.capture]],
  ["partially_paid", [...confirmed, given.authorize, given.capture, voiding]],
  ["paid", paid],
  ["partially_refunded", [...paid, given.refund]],
  ["refunded", [...paid, refundAll]],
  ["paid", [free]],
  ["unpaid", [free, given.cancel]],
  ["unpaid", [...confirmed, given.cancel]],
  ["authorized", [...confirmed, given.authorize, given.cancel]],
  ["voided", [...confirmed, given.authorize, given.cancel, voiding]],
  ["paid", [...paid, given.cancel]],
  ["refunded", [...paid, given.cancel, refundAll]]
]

describe("payment status", () => {
  it.each(cases)("%s", (expected, commands) => {
    assert.strictEqual(paymentStatus(given.orderAfter(...commands)), expected)
  })

  it("becomes paid when the rest is cancelled", () => {
    const items = [{ lineId: given.mugs, quantity: 2 }] as const
    const cheaper: ReadonlyArray<OrderCommand> = [
      ...confirmed,
      { ...given.authorize, amount: 963 },
      captureAll,
      { _tag: "CancelItems", orderId, items }
    ]
    assert.strictEqual(paymentStatus(given.orderAfter(...cheaper)), "paid")
  })
})

describe("status", () => {
  it.each(["placed", "confirmed", "partially_shipped", "shipped", "delivered", "returned", "cancelled"] as const)(
    "%s",
    (expected) => assert.strictEqual(status(given.orderAfter(...given.history[expected])), expected)
  )

  it("is returned even if a shipment was never reported as delivered", () => {
    assert.strictEqual(status(given.orderAfter(...given.history.shipped, given.returnAll)), "returned")
  })
})
