/** The memory of orders that were answered before the view had them. */
import { assert, it } from "@effect/vitest"
import { makeAnswered } from "../../../src/orders/OrderFold.ts"
import type { OrderEntry } from "../../../src/views/order/OrderEntry.ts"

const entry = (version: number, position: bigint) => ({ order: { version }, position }) as OrderEntry

const view = (position: bigint, parked = 0) => ({ position, parked })

it("knows an order as ahead until the view is past what was answered", () => {
  const answered = makeAnswered()
  answered.note("a", entry(3, 10n))
  assert.isTrue(answered.isAhead("a", 2, view(9n)))
  assert.isFalse(answered.isAhead("a", 3, view(9n)))
  assert.isFalse(answered.isAhead("b", 1, view(9n)))
  answered.note("a", entry(2, 8n))
  assert.isTrue(answered.isAhead("a", 2, view(9n)), "an older answer changes nothing")
  assert.isFalse(answered.isAhead("a", 2, view(10n)))
})

it("keeps an order as ahead while the view has set streams aside", () => {
  const answered = makeAnswered()
  answered.note("a", entry(2, 10n))
  assert.isTrue(answered.isAhead("a", 1, view(11n, 1)))
  assert.isFalse(answered.isAhead("a", 2, view(11n, 1)))
  assert.isFalse(answered.isAhead("b", 1, view(11n), true), "an answer from the cache does not know what is set aside")
  assert.isTrue(answered.isAhead("a", 1, view(11n, 1)))
  assert.isFalse(answered.isAhead("a", 1, view(11n)))
})

it("takes every order for ahead of a view that is not past those that were too many to remember", () => {
  const answered = makeAnswered(2)
  for (const [index, orderId] of ["a", "b", "c"].entries()) answered.note(orderId, entry(1, BigInt(index + 1)))
  assert.isTrue(answered.isAhead("a", 0, view(0n)))
  assert.isTrue(answered.isAhead("z", 5, view(0n)))
  assert.isFalse(answered.isAhead("a", 0, view(1n)))
  assert.isTrue(answered.isAhead("c", 0, view(1n)))
})
