import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { OrderAggregate } from "../../../src/order/OrderAggregate.ts"
import { CommandName, OrderCommand } from "../../../src/order/OrderCommand.ts"
import { OrderEvent } from "../../../src/order/OrderEvent.ts"
import { LineId, ReturnId } from "../../../src/order/OrderId.ts"

const Stored = Schema.Array(Schema.Struct({ type: Schema.String, schemaVersion: Schema.Int, data: Schema.Unknown }))

/** As they were stored once. Never edit or delete one: logs hold such events for ever. */
const stored = ["events.v1.json", "events.v2.json", "events.goodwill.json"].flatMap((file) =>
  Schema.decodeUnknownSync(Stored)(JSON.parse(readFileSync(new URL(`fixtures/${file}`, import.meta.url), "utf8")))
)
const { codec } = OrderAggregate

describe("stored events", () => {
  it.each(stored)("$type v$schemaVersion can still be read", (event) => {
    const decoded = codec.decode(event)
    assert.strictEqual(decoded._tag, event.type)
    const written = codec.encode(decoded)
    assert.strictEqual(written.schemaVersion, codec.schemaVersion(event.type))
    if (event.schemaVersion === written.schemaVersion) assert.deepStrictEqual(written, event)
    assert.deepStrictEqual(codec.decode(written), decoded)
  })

  it("are of every type at every version", () => {
    const every = Object.keys(OrderEvent.cases).flatMap((type) =>
      Array.from({ length: codec.schemaVersion(type) }, (_, index) => `${type} v${index + 1}`)
    )
    const found = new Set(stored.map(({ schemaVersion, type }) => `${type} v${schemaVersion}`))
    assert.deepStrictEqual([...found].sort(), every.sort())
  })

  it("become their present shape", () => {
    const old = { returnId: "r-1", lineId: "line-1", quantity: 2, reason: "broken" }
    assert.deepStrictEqual(codec.decode({ type: "ItemsReturned", schemaVersion: 1, data: old }), {
      _tag: "ItemsReturned",
      returnId: ReturnId.make("r-1"),
      items: [{ lineId: LineId.make("line-1"), quantity: 2 }],
      reason: "broken"
    })
  })

  it("stop the reader when type or version is unknown", () => {
    const data = { lineId: "line-1" }
    assert.throws(
      () => codec.decode({ type: "LineRemoved", schemaVersion: 2, data }),
      /LineRemoved at schema version 2/
    )
    assert.throws(() => codec.decode({ type: "ItemsReturned", schemaVersion: 3, data }), /version 3/)
    assert.throws(() => codec.decode({ type: "LineVanished", schemaVersion: 1, data }))
  })

  it("do not decode when a shape is wrong", () => {
    const wrong = { type: "LineRemoved", schemaVersion: 1, data: { lineId: 1 } }
    assert.throws(() => OrderAggregate.codec.decode(wrong))
  })
})

it("command names are those of the commands", () => {
  assert.deepStrictEqual([...CommandName.literals].sort(), Object.keys(OrderCommand.cases).sort())
})
