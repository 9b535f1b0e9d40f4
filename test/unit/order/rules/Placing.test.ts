import { assert, describe, it } from "@effect/vitest"
import * as OrderDecider from "../../../../src/order/OrderDecider.ts"
import { defaultPolicies } from "../../../../src/order/OrderPolicies.ts"
import { LineId } from "../../../../src/order/OrderId.ts"
import { assertNothing, assertRejected, recorded } from "../../../../harness/orders/Decisions.ts"
import * as given from "../../../../harness/orders/OrderHistory.ts"

const [mug] = given.place.lines
const { confirm: _, ...unsaid } = given.place

describe("PlaceOrder", () => {
  it("records what the customer saw, as on an invoice", () => {
    const { _tag, ...facts } = unsaid
    assert.deepStrictEqual(recorded([], given.place), [{ _tag: "OrderPlaced", ...facts, shipRequires: "confirmed" }])
  })

  it("confirms the order at its total if the caller wants it", () => {
    const [, confirmed] = recorded([], { ...given.place, confirm: true })
    assert.deepStrictEqual(confirmed, { _tag: "OrderConfirmed", total: 3938 })
  })

  it.each([true, false])("leaves it to the policy otherwise: autoConfirm %s", (autoConfirm) => {
    const decider = OrderDecider.make({ ...defaultPolicies, autoConfirm })
    assert.strictEqual(recorded([], unsaid, decider).length, autoConfirm ? 2 : 1)
  })

  it("is nothing new when the same request comes again, whatever happened since", () => {
    for (const commands of [given.history.placed, given.history.returned, given.history.cancelled]) {
      assertNothing(commands, { ...given.place, shippingCost: 1 })
    }
  })

  it("rejects another request for the same id", () => {
    assertRejected(given.history.placed, { ...given.place, request: "three mugs" }, { _tag: "OrderExists" })
  })

  it("rejects a line id that is there twice", () => {
    const errors = [{ path: "lines[1].lineId", message: "Line line-1 is there twice." }]
    assertRejected([], { ...given.place, lines: [mug, mug] }, { _tag: "InvalidOrder", errors })
  })

  it("rejects a discount above the price", () => {
    const errors = [{ path: "lines[0].unitDiscount", message: "The unit price is only 1250." }]
    assertRejected([], { ...given.place, lines: [{ ...mug, unitDiscount: 1251 }] }, { _tag: "InvalidOrder", errors })
  })

  it("rejects a total that is no exact number any more, and not a cent earlier", () => {
    const limit = { ...mug, unitPrice: Number.MAX_SAFE_INTEGER, taxBps: 0, quantity: 1 }
    assert.strictEqual(recorded([], { ...given.place, lines: [limit] }).length, 1)
    for (const beyond of [{ quantity: 2 }, { taxBps: 1 }, { quantity: 2, unitDiscount: limit.unitPrice }]) {
      assertRejected([], { ...given.place, lines: [{ ...limit, ...beyond }] }, { _tag: "InvalidOrder" })
    }
    assertRejected([], { ...given.place, lines: [limit], shippingCost: 1 }, { _tag: "InvalidOrder" })
  })

  it("rejects more than 500 lines", () => {
    const lines = Array.from({ length: 500 }, (_, index) => ({ ...mug, lineId: LineId.make(`l${index}`) }))
    assertRejected([], { ...given.place, lines: [mug, ...lines] }, { _tag: "InvalidOrder" })
  })
})

describe("ConfirmOrder", () => {
  it("fixes the total", () => {
    assert.deepStrictEqual(recorded(given.history.placed, given.confirm), [{ _tag: "OrderConfirmed", total: 3938 }])
  })

  it("says what is possible instead once the order is cancelled", () => {
    assertRejected(given.history.cancelled, given.confirm, {
      _tag: "InvalidTransition",
      orderStatus: "cancelled",
      command: "ConfirmOrder",
      allowed: ["VoidPayment", "RefundPayment"]
    })
  })
})
