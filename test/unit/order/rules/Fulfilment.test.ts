import { assert, describe, it } from "@effect/vitest"
import type { Command, OrderCommand } from "../../../../src/order/OrderCommand.ts"
import * as OrderDecider from "../../../../src/order/OrderDecider.ts"
import { CancellationId, LineId, PaymentId, ReturnId, ShipmentId } from "../../../../src/order/OrderId.ts"
import { defaultPolicies } from "../../../../src/order/OrderPolicies.ts"
import { orderId } from "../../../../src/testing/OrderCommands.ts"
import { assertNothing, assertRejected, recorded } from "../../../../harness/orders/Decisions.ts"
import * as given from "../../../../harness/orders/OrderHistory.ts"

const mugs = (quantity: number) => ({ lineId: given.mugs, quantity })
const books = (quantity: number) => ({ lineId: given.book, quantity })
const unknown = { lineId: LineId.make("unknown"), quantity: 1 }
const second: Command<"ShipItems"> = { ...given.ship, shipmentId: ShipmentId.make("shipment-2") }
const confirmed = [given.place, given.confirm]

describe("ShipItems", () => {
  it("ships all that is outstanding if no items are named", () => {
    const [event] = recorded([...confirmed, given.shipOne], { ...second, carrier: "DHL", tracking: "JD01" })
    const items = [mugs(1), books(1)] as const
    const { shipmentId } = second
    assert.deepStrictEqual(event, { _tag: "ItemsShipped", shipmentId, carrier: "DHL", tracking: "JD01", items })
  })

  it("leaves out what was cancelled", () => {
    const cancelBook: OrderCommand = { _tag: "CancelItems", orderId, items: [books(1)] }
    const [event] = recorded([...confirmed, cancelBook], given.ship)
    assert.deepStrictEqual(event, { _tag: "ItemsShipped", shipmentId: given.shipment, items: [mugs(2)] })
  })

  it("is nothing new when it is repeated as it was, or with all items named, in any order", () => {
    for (const commands of [given.history.shipped, given.history.returned]) {
      assertNothing(commands, given.ship)
      assertNothing(commands, { ...given.ship, items: [books(1), mugs(2)] })
    }
    assertNothing([...confirmed, { ...given.ship, items: [books(1), mugs(2)] }], given.ship)
  })

  it("rejects a known id with other content", () => {
    const reused = { _tag: "IdReused", kind: "shipment", id: given.shipment } as const
    assertRejected(given.history.partially_shipped, given.ship, reused)
    assertRejected(given.history.shipped, { ...given.ship, carrier: "DHL" }, reused)
    assertRejected(given.history.shipped, given.shipOne, reused)
    assertRejected(given.history.shipped, { ...given.ship, items: [mugs(2)] }, reused)
  })

  it("names every line that asks for too much", () => {
    assertRejected(
      [...confirmed, given.shipOne],
      { ...second, items: [mugs(2), books(2)] },
      {
        _tag: "QuantityExceeded",
        items: [
          { lineId: given.mugs, requested: 2, available: 1 },
          { lineId: given.book, requested: 2, available: 1 }
        ]
      }
    )
  })

  it("judges the state, then the lines, then the quantities", () => {
    assertRejected([given.place], { ...second, items: [unknown] }, { _tag: "InvalidTransition", orderStatus: "placed" })
    assertRejected(
      confirmed,
      { ...second, items: [mugs(3), unknown] },
      { _tag: "LineNotFound", lineId: unknown.lineId }
    )
    assertRejected(given.history.shipped, { ...second, items: [unknown] }, { _tag: "LineNotFound" })
    assertRejected(given.history.shipped, second, { _tag: "QuantityExceeded", items: [] })
  })
})

describe("ShipItems, where a payment is required first", () => {
  const authorized = OrderDecider.make({ ...defaultPolicies, shipRequires: "authorized" })
  const captured = OrderDecider.make({ ...defaultPolicies, shipRequires: "captured" })
  const rest: OrderCommand = { ...given.authorize, paymentId: PaymentId.make("payment-2"), amount: 1938 }
  const missing = { _tag: "PaymentRequiredBeforeShipment" } as const

  it("rejects until the whole total is authorized", () => {
    assertRejected(confirmed, given.ship, { ...missing, required: "authorized", missing: 3938 }, authorized)
    const partly = [...confirmed, given.authorize]
    assertRejected(partly, given.ship, { ...missing, missing: 1938 }, authorized)
    assert.strictEqual(recorded([...partly, rest], given.ship, authorized).length, 1)
  })

  it("rejects until the whole total is captured", () => {
    const commands = [...confirmed, given.authorize, rest, given.capture]
    assertRejected(commands, given.ship, { ...missing, required: "captured", missing: 3438 }, captured)
    const all = [given.payment, PaymentId.make("payment-2")].map((paymentId): OrderCommand => ({
      _tag: "CapturePayment",
      orderId,
      paymentId
    }))
    assert.strictEqual(recorded([...commands, ...all], given.ship, captured).length, 1)
  })
})

describe("DeliverShipment", () => {
  it("records it once", () => {
    const event = { _tag: "ShipmentDelivered", shipmentId: given.shipment } as const
    assert.deepStrictEqual(recorded(given.history.shipped, given.deliver), [event])
    assertNothing(given.history.delivered, given.deliver)
  })

  it("rejects an unknown shipment", () => {
    const unknown = ShipmentId.make("unknown")
    const expected = { _tag: "ShipmentNotFound", shipmentId: unknown } as const
    assertRejected(given.history.shipped, { _tag: "DeliverShipment", orderId, shipmentId: unknown }, expected)
  })
})

describe("ReturnItems", () => {
  const returnTwo: Command<"ReturnItems"> = { ...given.returnAll, items: [mugs(2)], reason: "broken" }

  it("records what came back", () => {
    const { _tag, orderId: _, ...facts } = returnTwo
    assert.deepStrictEqual(recorded(given.history.delivered, returnTwo), [{ _tag: "ItemsReturned", ...facts }])
  })

  it("rejects more than was shipped and is not back yet", () => {
    const items = [{ lineId: given.mugs, requested: 2, available: 1 }]
    assertRejected(given.history.partially_shipped, returnTwo, { _tag: "QuantityExceeded", items })
  })

  it("is nothing new when repeated; another content is refused", () => {
    assertNothing([...given.history.delivered, returnTwo], returnTwo)
    const reused = { _tag: "IdReused", kind: "return" } as const
    assertRejected([...given.history.delivered, returnTwo], { ...returnTwo, items: [mugs(1)] }, reused)
    assertRejected([...given.history.delivered, returnTwo], { ...returnTwo, reason: "late" }, reused)
  })

  it("can bring back everything in several parts", () => {
    const rest: OrderCommand = { ...given.returnAll, returnId: ReturnId.make("return-2"), items: [books(1)] }
    assert.strictEqual(recorded([...given.history.delivered, returnTwo], rest).length, 1)
  })
})

describe("CancelItems", () => {
  const cancellationId = CancellationId.make("cancellation-1")
  const cancelOne: Command<"CancelItems"> = { _tag: "CancelItems", orderId, items: [mugs(1)], cancellationId }

  it("cancels the order too once nothing is left of it, and says what is owed", () => {
    const commands = [...given.history.confirmed, cancelOne]
    const [, event] = recorded(commands, { _tag: "CancelItems", orderId, items: [books(1), mugs(1)] })
    const expected = { _tag: "OrderCancelled", reason: "all_items_cancelled", voidDue: 1500, refundDue: 500 } as const
    assert.deepStrictEqual(event, expected)
  })

  it("is nothing new when repeated with its id, also once the order is cancelled", () => {
    assertNothing([...confirmed, cancelOne], cancelOne)
    assertNothing([...confirmed, cancelOne, given.cancel], cancelOne)
    const reused = { _tag: "IdReused", kind: "cancellation" } as const
    assertRejected([...confirmed, cancelOne], { ...cancelOne, items: [mugs(2)] }, reused)
  })

  it("without an id is another request each time", () => {
    const { cancellationId: _, ...anonymous } = cancelOne
    assert.strictEqual(recorded([...confirmed, anonymous], anonymous).length, 1)
  })
})
