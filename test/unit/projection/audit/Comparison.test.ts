import { assert, describe, it } from "@effect/vitest"
import * as Comparison from "../../../../src/projection/audit/Comparison.ts"

describe("Comparison", () => {
  it("names the first field that differs", () => {
    const { firstDifference } = Comparison
    assert.strictEqual(firstDifference({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }), undefined)
    assert.deepStrictEqual(firstDifference({ a: [1, { b: 3 }] }, { a: [1, { b: 2 }] }), {
      field: "a.1.b",
      inView: 3,
      inLog: 2
    })
    assert.strictEqual(firstDifference({ a: 1, more: 0 }, { a: 1 })?.field, "more")
    assert.strictEqual(firstDifference({ a: [] }, { a: {} })?.field, "a")
  })
})
