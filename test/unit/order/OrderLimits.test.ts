import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { allowed } from "../../../src/order/rules/OrderAllowed.ts"
import type { OrderCommand } from "../../../src/order/OrderCommand.ts"
import { OrderDecider } from "../../../src/order/OrderDecider.ts"
import { LineId } from "../../../src/order/OrderId.ts"
import { defaultPolicies } from "../../../src/order/OrderPolicies.ts"
import { maxEvents } from "../../../src/order/OrderState.ts"
import { orderId } from "../../../src/testing/OrderCommands.ts"
import * as given from "../../../harness/orders/OrderHistory.ts"

const [mug] = given.place.lines
const at = (version: number, ...commands: ReadonlyArray<OrderCommand>) => ({
  ...given.orderAfter(...commands),
  version
})
const tagOf = (command: OrderCommand, state: ReturnType<typeof at>) =>
  Result.match(OrderDecider.decide(command, state), {
    onFailure: ({ _tag }) => _tag,
    onSuccess: ({ length }) => length
  })

describe("an order at its limit of events", () => {
  it("takes the last one, and rejects the next", () => {
    assert.strictEqual(tagOf(given.confirm, at(maxEvents - 1, given.place)), 1)
    assert.strictEqual(tagOf(given.confirm, at(maxEvents, given.place)), "OrderTooLong")
    assert.deepStrictEqual(allowed(at(maxEvents, given.place), defaultPolicies), [])
  })

  it("still answers repeats", () => assert.strictEqual(tagOf(given.place, at(maxEvents, given.place)), 0))

  it("never stores half of a command", () => {
    const one = { ...given.place, lines: [{ ...mug, quantity: 1 }] } as const
    const cancelAll: OrderCommand = { _tag: "CancelItems", orderId, items: [{ lineId: mug.lineId, quantity: 1 }] }
    const last = at(maxEvents - 1, one, given.confirm)
    assert.strictEqual(tagOf(cancelAll, last), "OrderTooLong")
    assert.notInclude(allowed(last, defaultPolicies), "CancelItems")
    assert.include(allowed(at(maxEvents - 2, one, given.confirm), defaultPolicies), "CancelItems")
  })
})

describe("an order of 500 lines", () => {
  const more = Array.from({ length: 499 }, (_, index) => ({ ...mug, lineId: LineId.make(`l${index}`) }))

  it("does not offer to add another", () => {
    const order = given.orderAfter({ ...given.place, lines: [mug, ...more] })
    assert.notInclude(allowed(order, defaultPolicies), "AddLine")
  })
})

describe("an order whose total can't grow", () => {
  const huge = { ...mug, quantity: 1, unitPrice: Number.MAX_SAFE_INTEGER, taxBps: 0 }

  it("does not offer to change a quantity that can only grow", () => {
    const order = given.orderAfter({ ...given.place, lines: [huge] })
    assert.notInclude(allowed(order, defaultPolicies), "ChangeLineQuantity")
    const more: OrderCommand = { _tag: "ChangeLineQuantity", orderId, lineId: huge.lineId, quantity: 2 }
    assert.strictEqual(tagOf(more, order), "InvalidOrder")
  })
})
