import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import type { OrderCommand } from "../../../src/order/OrderCommand.ts"
import { OrderDecider } from "../../../src/order/OrderDecider.ts"
import { LineId, PaymentId, ReturnId, ShipmentId } from "../../../src/order/OrderId.ts"
import { status } from "../../../src/order/OrderStatus.ts"
import { orderId } from "../../../src/testing/OrderCommands.ts"
import * as given from "../../../harness/orders/OrderHistory.ts"

const columns = [
  "absent",
  "placed",
  "confirmed",
  "partially_shipped",
  "shipped",
  "delivered",
  "returned",
  "cancelled"
] as const

const oneMug = [{ lineId: given.mugs, quantity: 1 }] as const
const newShipment = { ...given.ship, shipmentId: ShipmentId.make("shipment-2") }
const newReturn = { ...given.returnAll, returnId: ReturnId.make("return-2"), items: oneMug }
const line = { ...given.place.lines[0], lineId: LineId.make("line-3") }

const no = "InvalidTransition"
const missing = "OrderNotFound"
const tooMany = "QuantityExceeded"

/** The table of the order domain: the status that follows, `∅` for nothing to do, or the rejection. */
const table: ReadonlyArray<readonly [name: string, command: OrderCommand, cells: ReadonlyArray<string>]> = [
  ["PlaceOrder", { ...given.place, confirm: false }, ["placed", "∅", "∅", "∅", "∅", "∅", "∅", "∅"]],
  [
    "PlaceOrder, another",
    { ...given.place, confirm: true, request: "other" },
    ["confirmed", ...Array<string>(7).fill("OrderExists")]
  ],
  [
    "AddLine",
    { _tag: "AddLine", orderId, line, currency: given.place.currency },
    [missing, "placed", no, no, no, no, no, no]
  ],
  [
    "ChangeLineQuantity",
    { _tag: "ChangeLineQuantity", orderId, lineId: given.mugs, quantity: 3 },
    [missing, "placed", no, no, no, no, no, no]
  ],
  ["RemoveLine", { _tag: "RemoveLine", orderId, lineId: given.mugs }, [missing, "placed", no, no, no, no, no, no]],
  [
    "ChangeShippingAddress",
    { _tag: "ChangeShippingAddress", orderId, address: { ...given.place.shippingAddress, city: "Paris" } },
    [missing, "placed", "confirmed", no, no, no, no, no]
  ],
  ["ConfirmOrder", given.confirm, [missing, "confirmed", "∅", "∅", "∅", "∅", "∅", no]],
  ["ShipItems, all", newShipment, [missing, no, "shipped", "shipped", tooMany, tooMany, tooMany, no]],
  [
    "ShipItems, some",
    { ...newShipment, items: oneMug },
    [missing, no, "partially_shipped", "partially_shipped", tooMany, tooMany, tooMany, no]
  ],
  [
    "DeliverShipment",
    given.deliver,
    [missing, "ShipmentNotFound", "ShipmentNotFound", "partially_shipped", "delivered", "∅", "∅", "ShipmentNotFound"]
  ],
  ["ReturnItems, some", newReturn, [missing, no, no, "partially_shipped", "shipped", "delivered", tooMany, no]],
  [
    "ReturnItems, all",
    { ...given.returnAll, returnId: newReturn.returnId },
    [missing, no, no, tooMany, "returned", "returned", tooMany, no]
  ],
  [
    "CancelItems, some",
    { _tag: "CancelItems", orderId, items: oneMug },
    [missing, no, "confirmed", "partially_shipped", tooMany, tooMany, tooMany, no]
  ],
  [
    "CancelItems, all",
    { _tag: "CancelItems", orderId, items: given.returnAll.items },
    [missing, no, "cancelled", tooMany, tooMany, tooMany, tooMany, no]
  ],
  [
    "CancelItems, the rest",
    { _tag: "CancelItems", orderId, items: [...oneMug, { lineId: given.book, quantity: 1 }] },
    [missing, no, "confirmed", "shipped", tooMany, tooMany, tooMany, no]
  ],
  [
    "CancelOrder",
    given.cancel,
    [missing, "cancelled", "cancelled", ...Array<string>(4).fill("OrderAlreadyShipped"), "∅"]
  ],
  [
    "AuthorizePayment",
    { ...given.authorize, paymentId: PaymentId.make("payment-2"), amount: 100 },
    [missing, "placed", "confirmed", "partially_shipped", "shipped", "delivered", no, no]
  ],
  [
    "CapturePayment",
    given.capture,
    [missing, no, "confirmed", "partially_shipped", "shipped", "delivered", "AmountExceeded", no]
  ],
  [
    "VoidPayment",
    { _tag: "VoidPayment", orderId, paymentId: given.payment },
    [missing, "placed", "confirmed", "partially_shipped", "shipped", "delivered", "returned", "cancelled"]
  ],
  [
    "RefundPayment",
    given.refund,
    [missing, "AmountExceeded", "confirmed", "partially_shipped", "shipped", "delivered", "returned", "cancelled"]
  ]
]

const outcome = (command: OrderCommand, state: ReturnType<typeof given.stateAfter>): string =>
  Result.match(OrderDecider.decide(command, state), {
    onFailure: (rejection) => rejection._tag,
    onSuccess: (events) => {
      if (events.length === 0) return "∅"
      const after = events.reduce(
        (state, event) => OrderDecider.evolve(state, event, "2026-01-02T00:00:00.000Z"),
        state
      )
      return after._tag === "Absent" ? "absent" : status(after)
    }
  })

describe.each(table)("%s", (_name, command, cells) => {
  it.each(columns.map((column, index) => [column, cells[index]] as const))("%s → %s", (column, cell) => {
    assert.strictEqual(outcome(command, given.stateAfter(...given.history[column])), cell)
  })
})
