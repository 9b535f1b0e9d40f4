import { assert, describe, it } from "@effect/vitest"
import type { OrderCommand } from "../../../src/order/OrderCommand.ts"
import * as OrderTotals from "../../../src/order/OrderTotals.ts"
import { orderId } from "../../../src/testing/OrderCommands.ts"
import * as given from "../../../harness/orders/OrderHistory.ts"

describe("divideHalfEven", () => {
  it.each([
    [5n, 0n],
    [15n, 2n],
    [25n, 2n],
    [35n, 4n],
    [24n, 2n],
    [26n, 3n],
    [0n, 0n],
    [10n, 1n]
  ])("%d tenths are %d", (dividend, quotient) =>
    assert.strictEqual(OrderTotals.divideHalfEven(dividend, 10n), quotient)
  )
})

describe("totals", () => {
  it("are subtotal − discount + tax per line + shipping", () => {
    const order = given.orderAfter({ ...given.place, shippingCost: 490 })
    const amounts = { subtotal: 3500, discount: 100, tax: 475 + 63, shipping: 490, total: 4428 }
    const expected = { ...amounts, returned: 0, owed: 4428, balanceDue: 4428 }
    assert.deepStrictEqual(OrderTotals.ofOrder(order), expected)
  })

  it("round the tax of each line, not of their sum", () => {
    const [mug] = given.place.lines
    const cheap = { ...mug, quantity: 1, unitPrice: 1, taxBps: 5_000 }
    const order = given.orderAfter({ ...given.place, lines: [cheap, { ...cheap, lineId: given.book }] })
    assert.strictEqual(OrderTotals.ofOrder(order).tax, 0)
  })

  it("leave out what was cancelled, not what was returned", () => {
    const cancelOne: OrderCommand = { _tag: "CancelItems", orderId, items: [{ lineId: given.mugs, quantity: 1 }] }
    assert.strictEqual(OrderTotals.ofOrder(given.orderAfter(given.place, given.confirm, cancelOne)).total, 2451)
    assert.strictEqual(OrderTotals.ofOrder(given.orderAfter(...given.history.returned)).total, 3938)
  })

  it("stay exact where floating point would not", () => {
    const [mug] = given.place.lines
    const line = { ...mug, quantity: 99_999, unitPrice: 45_035_996_273, taxBps: 10_000 }
    const { subtotal, tax, total } = OrderTotals.ofOrder(given.orderAfter({ ...given.place, lines: [line] }))
    assert.deepStrictEqual([subtotal, tax], [4503554591303727, 4503554591303727])
    assert.strictEqual(total, 9007109182607454)
  })

  it("say what is still due, and what is owed once the order is cancelled", () => {
    const due = (commands: ReadonlyArray<OrderCommand>) => OrderTotals.ofOrder(given.orderAfter(...commands)).balanceDue
    assert.strictEqual(due(given.history.confirmed), 3438)
    assert.strictEqual(due(given.history.cancelled), -500)
    assert.strictEqual(due([...given.history.cancelled, given.refund]), -400)
  })
})
