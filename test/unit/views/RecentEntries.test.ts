import { assert, describe, it } from "@effect/vitest"
import type { RecordedEvent } from "../../../src/eventstore/EventStore.ts"
import type { Batch } from "../../../src/projection/Projection.ts"
import * as RecentEntries from "../../../src/views/RecentEntries.ts"

const batch = (position: bigint): Batch => [{ position } as RecordedEvent]

describe("the entries that were written last", () => {
  it("are given only at the version that they are at", () => {
    const recent = RecentEntries.make<string>()
    recent.begin("live", batch(1n))
    recent.keep("order-a", "a after 2", 2, 10)
    assert.deepStrictEqual(
      [1, 2, 3].map((version) => recent.at("order-a", version)),
      [undefined, "a after 2", undefined]
    )
    recent.keep("order-a", "a after 3", 3, 10)
    assert.deepStrictEqual([recent.at("order-a", 2), recent.at("order-a", 3)], [undefined, "a after 3"])
  })

  it("take no more than their bytes: those that were not written for longest go", () => {
    const recent = RecentEntries.make<string>(100)
    recent.begin("live", batch(1n))
    for (const id of ["a", "b", "c"]) recent.keep(id, id, 1, 40)
    assert.deepStrictEqual(
      ["a", "b", "c"].map((id) => recent.at(id, 1)),
      [undefined, "b", "c"]
    )
    recent.keep("b", "b again", 2, 40)
    recent.keep("d", "d", 1, 40)
    assert.deepStrictEqual([recent.at("c", 1), recent.at("b", 2), recent.at("d", 1)], [undefined, "b again", "d"])
    recent.keep("e", "larger than all", 1, 1_000)
    assert.isUndefined(recent.at("e", 1))
  })

  it("are forgotten when a batch comes again, and when the other table is written", () => {
    for (const [slot, position] of [
      ["live", 1n],
      ["shadow", 2n]
    ] as const) {
      const recent = RecentEntries.make<string>()
      recent.begin("live", batch(1n))
      recent.keep("order-a", "a", 1, 10)
      recent.begin(slot, batch(position))
      assert.isUndefined(recent.at("order-a", 1), `${slot} ${position}`)
    }
    const recent = RecentEntries.make<string>()
    recent.begin("live", batch(1n))
    recent.keep("order-a", "a", 1, 10)
    recent.begin("live", batch(2n))
    assert.strictEqual(recent.at("order-a", 1), "a")
  })
})
