/** The money of two mugs, 2,975 in all: each row is a life of the order, and what it then costs, holds and owes. */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { LineId, PaymentId, RefundId, ReturnId, ShipmentId } from "../../../../src/order/OrderId.ts"
import type { OrderCommand } from "../../../../src/order/OrderCommand.ts"
import * as OrderDecider from "../../../../src/order/OrderDecider.ts"
import { defaultPolicies } from "../../../../src/order/OrderPolicies.ts"
import { type Order } from "../../../../src/order/OrderState.ts"
import { paymentStatus } from "../../../../src/order/OrderStatus.ts"
import * as OrderTotals from "../../../../src/order/OrderTotals.ts"
import { allowed } from "../../../../src/order/rules/OrderAllowed.ts"
import { orderId, placeOrder } from "../../../../src/testing/OrderCommands.ts"
import { trace } from "../../../../src/testing/Trace.ts"

const lineId = LineId.make("line-1")
const paymentId = PaymentId.make("p1")
const mugs = (quantity: number) => [{ lineId, quantity }] as const

const place: OrderCommand = { ...placeOrder, confirm: true }
const withShipping: OrderCommand = { ...placeOrder, confirm: true, shippingCost: 490 }
const pay = (amount: number, id = paymentId): ReadonlyArray<OrderCommand> => [
  { _tag: "AuthorizePayment", orderId, paymentId: id, amount },
  { _tag: "CapturePayment", orderId, paymentId: id }
]
const ship = (quantity: number, id = "s1"): OrderCommand => ({
  _tag: "ShipItems",
  orderId,
  shipmentId: ShipmentId.make(id),
  items: mugs(quantity)
})
const back = (quantity: number, id = "r1"): OrderCommand => ({
  _tag: "ReturnItems",
  orderId,
  returnId: ReturnId.make(id),
  items: mugs(quantity)
})
const refund = (amount: number, id = "f1", extra: { readonly goodwill?: boolean } = {}): OrderCommand => ({
  _tag: "RefundPayment",
  orderId,
  paymentId,
  refundId: RefundId.make(id),
  amount,
  ...extra
})
const cancelOne: OrderCommand = { _tag: "CancelItems", orderId, items: mugs(1) }
const cancel: OrderCommand = { _tag: "CancelOrder", orderId, reason: "other" }
const gift = { goodwill: true }

type ShipRequires = (typeof defaultPolicies)["shipRequires"]

const deciderFor = (shipRequires: ShipRequires) => OrderDecider.make({ ...defaultPolicies, shipRequires })

const after = (commands: ReadonlyArray<OrderCommand>, decider = deciderFor("confirmed")): Order => {
  const { states, steps } = trace(decider, commands)
  for (const { decision } of steps) Result.getOrThrow(decision)
  const state = states.at(-1)
  if (state?._tag !== "Order") throw new Error("no order was placed")
  return state
}

const sold = [place, ...pay(2975), ship(2)]

/** total · returned · owed · balanceDue · payment status */
type Money = readonly [total: number, returned: number, owed: number, balanceDue: number, status: string]

const lives: ReadonlyArray<readonly [name: string, life: ReadonlyArray<OrderCommand>, money: Money]> = [
  ["nothing paid", [place], [2975, 0, 2975, 2975, "unpaid"]],
  ["paid and shipped", sold, [2975, 0, 2975, 0, "paid"]],
  ["one came back", [...sold, back(1)], [2975, 1487, 1488, -1487, "paid"]],
  ["one came back and is refunded", [...sold, back(1), refund(1487)], [2975, 1487, 1488, 0, "partially_refunded"]],
  ["both came back", [...sold, back(2)], [2975, 2975, 0, -2975, "paid"]],
  ["both came back, one by one", [...sold, back(1), back(1, "r2")], [2975, 2975, 0, -2975, "paid"]],
  ["both came back and are refunded", [...sold, back(2), refund(2975)], [2975, 2975, 0, 0, "refunded"]],
  ["both came back, never paid", [place, ship(2), back(2)], [2975, 2975, 0, 0, "unpaid"]],
  ["one came back, the other one is paid", [place, ship(2), back(1), ...pay(1488)], [2975, 1487, 1488, 0, "paid"]],
  ["both came back, with shipping", [withShipping, ship(2), back(2)], [3465, 2975, 490, 490, "unpaid"]],
  ["a gift is asked for again", [...sold, refund(500, "f1", gift)], [2975, 0, 2975, 500, "partially_refunded"]],
  ["one cancelled", [place, ...pay(2975), cancelOne], [1488, 0, 1488, -1487, "paid"]],
  ["all cancelled", [place, ...pay(2975), cancel], [2975, 0, 0, -2975, "paid"]],
  ["one cancelled, one came back", [place, cancelOne, ship(1), back(1)], [1488, 1488, 0, 0, "unpaid"]]
]

describe("the money of an order", () => {
  it.each(lives)("%s", (_name, life, expected) => {
    const order = after(life)
    const { balanceDue, owed, returned, total } = OrderTotals.ofOrder(order)
    assert.deepStrictEqual([total, returned, owed, balanceDue, paymentStatus(order)], [...expected])
  })
})

describe("what may be charged", () => {
  const second = PaymentId.make("p2")
  const charge = (life: ReadonlyArray<OrderCommand>, amount: number) => {
    const order = after(life)
    const decision = deciderFor("confirmed").decide(
      { _tag: "AuthorizePayment", orderId, paymentId: second, amount },
      order
    )
    const isListed = allowed(order, defaultPolicies).includes("AuthorizePayment")
    return [Result.match(decision, { onFailure: ({ _tag }) => _tag, onSuccess: () => "charged" }), isListed]
  }

  it.each<readonly [name: string, life: ReadonlyArray<OrderCommand>, amount: number, outcome: string, listed: boolean]>(
    [
      ["not twice for what came back", [...sold, back(1), refund(1487)], 1487, "AmountExceeded", false],
      ["no more than what is kept", [place, ship(2), back(1)], 1489, "AmountExceeded", true],
      ["all of what is kept", [place, ship(2), back(1)], 1488, "charged", true],
      ["nothing once all came back and is settled", [...sold, back(2), refund(2975)], 1, "InvalidTransition", false],
      ["nothing once all came back and is owed back", [...sold, back(2)], 1, "InvalidTransition", false],
      ["the shipping of what came back", [withShipping, ship(2), back(2)], 490, "charged", true],
      ["no more than the shipping of what came back", [withShipping, ship(2), back(2)], 491, "AmountExceeded", true]
    ]
  )("%s", (_name, life, amount, outcome, listed) => {
    assert.deepStrictEqual(charge(life, amount), [outcome, listed])
  })

  it("is captured only as far as it is owed", () => {
    const authorized: ReadonlyArray<OrderCommand> = [
      place,
      { _tag: "AuthorizePayment", orderId, paymentId, amount: 2975 }
    ]
    const order = after([...authorized, ship(2), back(1)])
    const decision = deciderFor("confirmed").decide({ _tag: "CapturePayment", orderId, paymentId }, order)
    assert.deepStrictEqual(Result.getOrThrow(decision), [{ _tag: "PaymentCaptured", paymentId, amount: 1488 }])
  })
})

/** What is missing before the second mug is shipped, by what the order was placed under; 0: it ships. */
const waits: ReadonlyArray<
  readonly [name: string, life: ReadonlyArray<OrderCommand>, authorized: number, captured: number]
> = [
  ["one came back and is refunded at what it made the order cheaper", [ship(1), back(1), refund(1487)], 0, 0],
  ["one came back and is refunded at its own rounded price", [ship(1), back(1), refund(1488)], 0, 0],
  ["one came back and is not refunded", [ship(1), back(1)], 0, 0],
  ["one came back and more than it is refunded", [ship(1), back(1), refund(1988)], 500, 500],
  ["one is out and is refunded before it is back", [ship(1), refund(1487)], 1487, 1487],
  ["a refund without a reason", [ship(1), refund(500)], 500, 500],
  ["a gift", [ship(1), refund(500, "f1", gift)], 0, 0],
  ["a gift, and a refund without a reason", [ship(1), refund(500, "f1", gift), refund(100, "f2")], 100, 100],
  ["a gift after one came back", [ship(1), back(1), refund(1488), refund(500, "f2", gift)], 0, 0]
]

describe("what a shipment waits for", () => {
  for (const [name, life, authorized, captured] of waits) {
    it.each([
      ["confirmed", 0],
      ["authorized", authorized],
      ["captured", captured]
    ] as const)(`${name}, under %s: %d`, (shipRequires, missing) => {
      const decider = deciderFor(shipRequires)
      const order = after([place, ...pay(2975), ...life], decider)
      const decision = decider.decide(ship(1, "s2"), order)
      const found = Result.match(decision, {
        onFailure: (rejection) =>
          rejection._tag === "PaymentRequiredBeforeShipment" ? rejection.missing : rejection._tag,
        onSuccess: () => 0
      })
      assert.strictEqual(found, missing)
      assert.strictEqual(allowed(order, defaultPolicies).includes("ShipItems"), missing === 0)
    })
  }

  it("is what the order was placed under, whatever the shop asks for today", () => {
    for (const shipRequires of ["confirmed", "authorized", "captured"] as const) {
      const order = after([place], deciderFor(shipRequires))
      assert.strictEqual(order.shipRequires, shipRequires)
      for (const today of ["confirmed", "authorized", "captured"] as const) {
        const decision = deciderFor(today).decide(ship(1), order)
        assert.strictEqual(Result.isSuccess(decision), shipRequires === "confirmed")
      }
    }
  })

  it("is the founding policy of the log for orders that keep none", () => {
    const { shipRequires: _, ...old } = after([place])
    const policies = { ...defaultPolicies, foundingShipRequires: "captured" } as const
    assert.isTrue(Result.isFailure(OrderDecider.make(policies).decide(ship(1), old)))
    assert.isTrue(Result.isSuccess(deciderFor("confirmed").decide(ship(1), old)))
  })
})

describe("a goodwill refund", () => {
  const [given] = [refund(500, "f1", gift)]

  it("is another refund than one without", () => {
    const order = after([...sold, given])
    const again = (goodwill?: boolean) =>
      deciderFor("confirmed").decide(refund(500, "f1", goodwill === undefined ? {} : { goodwill }), order)
    assert.deepStrictEqual(again(true), Result.succeed([]))
    for (const other of [again(false), again()]) {
      assert.strictEqual(Result.isFailure(other) && other.failure._tag, "IdReused")
    }
  })
})
