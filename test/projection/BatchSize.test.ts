import { assert, describe, it } from "@effect/vitest"
import * as BatchSize from "../../src/projection/BatchSize.ts"

describe("BatchSize", () => {
  it("is halved by what is too slow, down to one event", () => {
    const size = BatchSize.make("postgres")
    const seen = [size.current()]
    while (size.current() > 1) {
      size.tooSlow(size.current())
      seen.push(size.current())
    }
    assert.deepStrictEqual(seen, [5_000, 2_500, 1_250, 625, 312, 156, 78, 39, 19, 9, 4, 2, 1])
    size.tooSlow(1)
    assert.strictEqual(size.current(), 1)
  })

  it("grows slowly with batches that fill it, up to where it was", () => {
    const size = BatchSize.make("pglite")
    size.tooSlow(80)
    size.applied(39)
    assert.strictEqual(size.current(), 40)
    size.applied(40)
    assert.strictEqual(size.current(), 42)
    for (let times = 0; times < 200; times++) size.applied(size.current())
    assert.strictEqual(size.current(), 500)
  })

  it("is no larger after a small batch was too slow", () => {
    const size = BatchSize.make("postgres")
    size.tooSlow(10)
    size.tooSlow(100)
    assert.strictEqual(size.current(), 5)
  })
})
