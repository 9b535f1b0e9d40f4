import { assert, it } from "@effect/vitest"
import { sumsOfMany } from "../../../harness/judges/OrderSums.ts"
import { seed } from "../../../harness/fixtures/SeededRandom.ts"

it("totals equal an independent recomputation, at ties and at the largest exact numbers too", () => {
  const { faults, huge, refused, ties } = sumsOfMany(2_000, seed)
  assert.deepStrictEqual(faults.slice(0, 3), [])
  // It would prove nothing if the generator never got there.
  assert.isAbove(ties, 100)
  assert.isAbove(huge, 20)
  assert.isAbove(refused, 100)
})
