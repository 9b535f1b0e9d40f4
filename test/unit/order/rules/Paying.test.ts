import { assert, describe, it } from "@effect/vitest"
import type { Command, OrderCommand } from "../../../../src/order/OrderCommand.ts"
import { CaptureId, PaymentId, RefundId } from "../../../../src/order/OrderId.ts"
import { orderId } from "../../../../src/testing/OrderCommands.ts"
import { assertNothing, assertRejected, recorded } from "../../../../harness/orders/Decisions.ts"
import * as given from "../../../../harness/orders/OrderHistory.ts"

const { payment: paymentId } = given
const second: Command<"AuthorizePayment"> = { ...given.authorize, paymentId: PaymentId.make("payment-2") }
const voiding: OrderCommand = { _tag: "VoidPayment", orderId, paymentId }
const captureRest: Command<"CapturePayment"> = { _tag: "CapturePayment", orderId, paymentId }
const refundRest: Command<"RefundPayment"> = { _tag: "RefundPayment", orderId, paymentId }
const authorized = [given.place, given.confirm, given.authorize]
const captured = [...authorized, given.capture]

describe("AuthorizePayment", () => {
  it("keeps provider and reference", () => {
    const request = { ...given.authorize, provider: "stripe", reference: "pi_1" }
    const { _tag, orderId: _, ...facts } = request
    assert.deepStrictEqual(recorded([given.place], request), [{ _tag: "PaymentAuthorized", ...facts }])
  })

  it("rejects more than the total, counting what is open and what is paid", () => {
    const exceeded = { _tag: "AmountExceeded", requested: 1939, available: 1938 } as const
    assertRejected(captured, { ...second, amount: 1939 }, exceeded)
    assert.strictEqual(recorded(captured, { ...second, amount: 1938 }).length, 1)
  })

  it("can authorize again what was voided or refunded", () => {
    assert.strictEqual(recorded([...authorized, voiding], { ...second, amount: 3938 }).length, 1)
    const refunded = [...captured, voiding, refundRest]
    assert.strictEqual(recorded(refunded, { ...second, amount: 3938 }).length, 1)
  })

  it("is nothing new when repeated, in every state; another amount is refused", () => {
    assertNothing(given.history.cancelled, given.authorize)
    assertRejected(captured, { ...given.authorize, amount: 1 }, { _tag: "IdReused", kind: "payment", id: paymentId })
  })
})

describe("CapturePayment", () => {
  it("takes all that is left if no amount is named", () => {
    const [event] = recorded(captured, captureRest)
    assert.deepStrictEqual(event, { _tag: "PaymentCaptured", paymentId, amount: 1500 })
  })

  it("never takes more than the order still costs", () => {
    const items = [{ lineId: given.mugs, quantity: 2 }] as const
    const cheaper: ReadonlyArray<OrderCommand> = [...authorized, { _tag: "CancelItems", orderId, items }]
    assertRejected(cheaper, { ...captureRest, amount: 964 }, { _tag: "AmountExceeded", requested: 964, available: 963 })
    const [event] = recorded(cheaper, captureRest)
    assert.deepStrictEqual(event, { _tag: "PaymentCaptured", paymentId, amount: 963 })
  })

  it("rejects more than was authorized, and anything once nothing is left", () => {
    assertRejected(captured, { ...captureRest, amount: 1501 }, { _tag: "AmountExceeded", available: 1500 })
    assertRejected([...captured, captureRest], captureRest, { _tag: "AmountExceeded", available: 0 })
  })

  it("rejects a voided payment, and an unknown one before it looks at the state", () => {
    assertRejected([...authorized, voiding], captureRest, { _tag: "PaymentClosed", paymentId })
    const unknown = { ...captureRest, paymentId: PaymentId.make("unknown") }
    assertRejected([given.place], unknown, { _tag: "PaymentNotFound", paymentId: unknown.paymentId })
    assertRejected([given.place, given.authorize], captureRest, { _tag: "InvalidTransition", orderStatus: "placed" })
  })

  it("with an id is nothing new when repeated, in whichever way the same amount is said", () => {
    const known = { ...captureRest, captureId: CaptureId.make("capture-1") }
    const commands = [...captured, known, given.cancel]
    assertNothing(commands, known)
    assertNothing(commands, { ...known, amount: 1500 })
    assertRejected(commands, { ...known, amount: 500 }, { _tag: "IdReused", kind: "capture", id: "capture-1" })
    assertNothing([...captured, { ...known, amount: 1500 }], known)
    const part = [...captured, { ...known, amount: 100 }]
    assertRejected(part, known, { _tag: "IdReused" })
  })
})

describe("VoidPayment", () => {
  it("releases the uncaptured rest", () => {
    assert.deepStrictEqual(recorded(captured, voiding), [{ _tag: "PaymentVoided", paymentId, amount: 1500 }])
  })

  it("is nothing the second time; what is fully captured can't be voided", () => {
    assertNothing([...captured, voiding], voiding)
    assertRejected([...captured, captureRest], voiding, { _tag: "PaymentClosed" })
  })
})

describe("RefundPayment", () => {
  it("gives back all that is left if no amount is named", () => {
    const [event] = recorded([...captured, given.refund], { ...refundRest, reason: "broken" })
    assert.deepStrictEqual(event, { _tag: "PaymentRefunded", paymentId, reason: "broken", amount: 400 })
  })

  it("rejects more than is captured and not refunded", () => {
    assertRejected(captured, { ...refundRest, amount: 501 }, { _tag: "AmountExceeded", requested: 501, available: 500 })
    assertRejected([...captured, refundRest], refundRest, { _tag: "AmountExceeded", available: 0 })
  })

  it("still gives back what a payment had captured before it was voided", () => {
    assert.strictEqual(recorded([...captured, voiding], refundRest).length, 1)
    assert.strictEqual(recorded([...captured, given.cancel, voiding], refundRest).length, 1)
    assertRejected([...authorized, voiding], refundRest, { _tag: "PaymentClosed" })
  })

  it("with an id is nothing new when repeated", () => {
    const known = { ...refundRest, refundId: RefundId.make("refund-1") }
    assertNothing([...captured, known], known)
    assertNothing([...captured, known], { ...known, amount: 500 })
    assertRejected([...captured, known], { ...known, amount: 1 }, { _tag: "IdReused", kind: "refund" })
    assertRejected([...captured, { ...known, amount: 1 }], known, { _tag: "IdReused" })
  })
})

describe("CancelOrder", () => {
  it("says what is to be voided and refunded", () => {
    const [event] = recorded(captured, { _tag: "CancelOrder", orderId, reason: "other", note: "sorry" })
    const expected = { _tag: "OrderCancelled", reason: "other", note: "sorry", voidDue: 1500, refundDue: 500 } as const
    assert.deepStrictEqual(event, expected)
  })

  it("has a hint for what to do once something was shipped", () => {
    const expected = { _tag: "OrderAlreadyShipped", orderStatus: "partially_shipped" } as const
    assertRejected(given.history.partially_shipped, given.cancel, expected)
  })
})
