import { assert, it } from "@effect/vitest"
import { livesUnder, policies } from "../../../harness/judges/MoneyLives.ts"
import { seed } from "../../../harness/fixtures/SeededRandom.ts"

it.each(policies)("the money of 1,000 carts with returns and refunds is the one on paper, under %s", (policy) => {
  const { faults, orders, refunds, refusedCharges, returns, waited } = livesUnder(policy, 23_000, seed)
  assert.deepStrictEqual(faults.slice(0, 3), [], `SEED=${seed}`)
  // It would prove nothing if the generator never got there.
  assert.isAbove(orders, 900)
  assert.isAbove(refusedCharges, 100)
  assert.isAbove(refunds, 100)
  assert.isAbove(returns, 100)
  if (policy !== "confirmed") assert.isAbove(waited, 100)
})
