import { assert, describe, it } from "@effect/vitest"
import { usedHeap } from "../../../../harness/aggregates/Heap.ts"
import { sizeOf } from "../../../../src/aggregate/actor/StateSize.ts"

/** The state of an order with two lines, made anew as it is when events are decoded. */
const made = (index: number): unknown =>
  JSON.parse(
    JSON.stringify({
      _tag: "Placed",
      id: `ord_01a22067-1662-73d1-bd1f-${String(index).padStart(12, "0")}`,
      customer: { name: "Ada Lovelace", email: "ada@example.com" },
      lines: [1, 2].map((line) => ({
        lineId: `line_${line} of ${index}`,
        name: `A mug that is the ${index}th`,
        quantity: line,
        unitPrice: 1_250,
        taxBps: 1_900
      })),
      shippingAddress: { name: "Ada Lovelace", line1: "12 St James's Square", city: "London", country: "GB" },
      payments: [],
      placedAt: "2026-11-28T00:00:00.000Z"
    })
  )

describe("the weight of a state", () => {
  it("is about the memory that it takes", () => {
    const before = usedHeap()
    const states = Array.from({ length: 10_000 }, (_, index) => made(index))
    const real = (usedHeap() - before) / states.length
    const estimated = states.reduce<number>((sum, state) => sum + sizeOf(state), 0) / states.length
    assert.isTrue(estimated > real * 0.6 && estimated < real * 1.7, `${estimated} is estimated, and ${real} is real`)
  })

  it("counts what is in maps and sets, and has an end for a state that holds itself", () => {
    const text = "x".repeat(1_000)
    assert.isAbove(sizeOf(new Map([["a", text]])), 1_000)
    assert.isAbove(sizeOf(new Set([text])), 1_000)
    const cyclic: Record<string, unknown> = {}
    cyclic.self = cyclic
    assert.isAbove(sizeOf(cyclic), 0)
  })

  it("is nothing for plain numbers", () => {
    assert.deepStrictEqual([0, true, null, undefined].map(sizeOf), [0, 0, 0, 0])
  })
})
