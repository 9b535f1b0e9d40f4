import { assert, describe, it } from "@effect/vitest"
import type { Command, OrderCommand } from "../../../../src/order/OrderCommand.ts"
import { Currency } from "../../../../src/order/Money.ts"
import { LineId } from "../../../../src/order/OrderId.ts"
import { orderId } from "../../../../src/testing/OrderCommands.ts"
import { assertNothing, assertRejected, recorded } from "../../../../harness/orders/Decisions.ts"
import * as given from "../../../../harness/orders/OrderHistory.ts"

const [mug] = given.place.lines
const line = { ...mug, lineId: LineId.make("line-3"), unitDiscount: 50 }
const add: Command<"AddLine"> = { _tag: "AddLine", orderId, line, currency: given.place.currency }
const change = (lineId: LineId, quantity: number): OrderCommand => ({
  _tag: "ChangeLineQuantity",
  orderId,
  lineId,
  quantity
})
const remove = (lineId: LineId): OrderCommand => ({ _tag: "RemoveLine", orderId, lineId })
const unknown = LineId.make("unknown")

describe("AddLine", () => {
  it("records the line as priced", () => {
    assert.deepStrictEqual(recorded([given.place], add), [{ _tag: "LineAdded", line }])
  })

  it("is nothing new when the same is asked again, though the catalog has changed", () => {
    assertNothing([given.place, add, given.confirm], {
      ...add,
      line: { ...line, unitPrice: 9, name: "Cup", taxBps: 0 }
    })
  })

  it("compares with what was asked, not with what the line has become", () => {
    const commands = [given.place, add, change(line.lineId, 7)]
    assertNothing(commands, add)
    assertRejected(
      commands,
      { ...add, line: { ...line, quantity: 7 } },
      { _tag: "IdReused", kind: "line", id: "line-3" }
    )
  })

  it("knows the lines the order was placed with", () => {
    assertNothing([given.place], { ...add, line: mug })
    assertRejected([given.place], { ...add, line: { ...mug, unitDiscount: 1 } }, { _tag: "IdReused" })
  })

  it("keeps a removed line's id used", () => {
    const commands = [given.place, add, remove(line.lineId)]
    assertNothing(commands, add)
    assertRejected(commands, { ...add, line: { ...line, quantity: 9 } }, { _tag: "IdReused" })
  })

  it("rejects another currency, a discount above the price, and a total that is no exact number", () => {
    assertRejected([given.place], { ...add, currency: Currency.make("USD") }, { _tag: "InvalidOrder" })
    assertRejected([given.place], { ...add, line: { ...line, unitDiscount: 1251 } }, { _tag: "InvalidOrder" })
    const huge = { ...line, unitPrice: Number.MAX_SAFE_INTEGER }
    assertRejected([given.place], { ...add, line: huge }, { _tag: "InvalidOrder" })
  })

  it("rejects line 501", () => {
    const lines = Array.from({ length: 499 }, (_, index) => ({ ...mug, lineId: LineId.make(`l${index}`) }))
    assertRejected([{ ...given.place, lines: [mug, ...lines] }], add, { _tag: "InvalidOrder" })
  })
})

describe("ChangeLineQuantity", () => {
  it("records from and to", () => {
    const event = { _tag: "LineQuantityChanged", lineId: given.mugs, from: 2, to: 5 } as const
    assert.deepStrictEqual(recorded([given.place], change(given.mugs, 5)), [event])
  })

  it("is nothing if it is that many already", () => assertNothing([given.place], change(given.mugs, 2)))

  it("rejects an unknown or removed line, before it looks at the state", () => {
    assertRejected(given.history.shipped, change(unknown, 5), { _tag: "LineNotFound", lineId: unknown })
    assertRejected([given.place, remove(given.book)], change(given.book, 5), { _tag: "LineNotFound" })
  })
})

describe("RemoveLine", () => {
  it("is nothing the second time, in every state", () => {
    assertNothing([given.place, remove(given.book)], remove(given.book))
    assertNothing([given.place, remove(given.book), given.confirm, given.ship], remove(given.book))
  })

  it("rejects to remove the last line", () => {
    assertRejected([given.place, remove(given.book)], remove(given.mugs), { _tag: "LastLine", lineId: given.mugs })
  })

  it("rejects an unknown line, before it looks at the state", () => {
    assertRejected(given.history.shipped, remove(unknown), { _tag: "LineNotFound" })
  })
})

describe("ChangeShippingAddress", () => {
  const address = { ...given.place.shippingAddress, line2: "Flat 2" }
  const move: OrderCommand = { _tag: "ChangeShippingAddress", orderId, address }

  it("records the new address", () => {
    assert.deepStrictEqual(recorded([given.place], move), [{ _tag: "ShippingAddressChanged", address }])
  })

  it("is nothing if it is the same, in whatever order its members come", () => {
    const { city, ...rest } = address
    assertNothing([given.place, move], { ...move, address: { city, ...rest } })
  })
})
