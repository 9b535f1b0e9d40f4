import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as EventCodec from "../../../src/aggregate/EventCodec.ts"
import * as Upcaster from "../../../src/aggregate/Upcaster.ts"

const Event = Schema.TaggedUnion({ Renamed: { first: Schema.String, last: Schema.String }, Removed: {} })

/** Version 1 knew a name, version 2 its parts as a list. */
const V1 = Schema.Struct({ name: Schema.String })
const V2 = Schema.Struct({ parts: Schema.Array(Schema.String) })

const codec = EventCodec.make(Event, {
  Renamed: Upcaster.since(V1)
    .to(V2, ({ name }) => ({ parts: name.split(" ") }))
    .now(({ parts: [first = "", last = ""] }) => ({ first, last }))
})

const ada = { _tag: "Renamed", first: "Ada", last: "Lovelace" } as const

describe("a chain of upcasters", () => {
  it.each([
    [1, { name: "Ada Lovelace" }],
    [2, { parts: ["Ada", "Lovelace"] }],
    [3, { first: "Ada", last: "Lovelace" }]
  ])("reads version %i", (schemaVersion, data) => {
    assert.deepStrictEqual(codec.decode({ type: "Renamed", schemaVersion, data }), ada)
  })

  it("writes the present version", () => {
    const data = { first: "Ada", last: "Lovelace" }
    assert.deepStrictEqual(codec.encode(ada), { type: "Renamed", schemaVersion: 3, data })
    assert.strictEqual(codec.schemaVersion("Removed"), 1)
  })

  it("refuses what is not of the shape of its version", () => {
    assert.throws(() => codec.decode({ type: "Renamed", schemaVersion: 1, data: { parts: [] } }))
    assert.throws(() => codec.decode({ type: "Renamed", schemaVersion: 4, data: {} }), /schema version 4/)
    assert.throws(() => codec.decode({ type: "Renamed", schemaVersion: 0, data: {} }), /schema version 0/)
  })
})
