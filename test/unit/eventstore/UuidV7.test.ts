import { assert, describe, it } from "@effect/vitest"
import * as UuidV7 from "../../../src/eventstore/UuidV7.ts"

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const millisOf = (id: string) => Number.parseInt(id.replaceAll("-", "").slice(0, 12), 16)

describe("the ids that this program makes", () => {
  it("are UUIDv7s of the present time", () => {
    const before = Date.now()
    const id = UuidV7.make()
    assert.match(id, pattern)
    assert.isAtLeast(millisOf(id), before)
  })

  it("sort in the order in which they were made, also within a millisecond and when the clock goes back", () => {
    const start = Date.now() + 1_000
    const clock = (index: number) => start + Math.floor(index / 1_000) - (index % 7)
    const ids = Array.from({ length: 100_000 }, (_, index) => UuidV7.make(clock(index)))
    assert.deepStrictEqual(ids, ids.toSorted())
    assert.strictEqual(new Set(ids).size, ids.length)
    assert.isTrue(ids.every((id) => pattern.test(id)))
  })

  it("have random bytes of their own, also those beyond one draw", () => {
    const tails = Array.from({ length: 10_000 }, () => UuidV7.make().slice(-8))
    // Ten thousand of 2^32 values meet about once in 86 runs, and ten times never.
    assert.isAbove(new Set(tails).size, tails.length - 10)
  })
})
