import { assert, describe, it } from "vitest"
import { filterPattern, matches } from "../../../src/webhooks/EventTypes.ts"

describe("filters of event types", () => {
  it("name a category, all versions of a type, or one; without any, all types are told of", () => {
    assert.isTrue(matches([], "order.placed.v1"))
    for (const filter of ["order", "order.placed", "order.placed.v1"]) {
      assert.isTrue(matches([filter], "order.placed.v1"), filter)
      assert.isTrue(matches(["product", filter], "order.placed.v1"), filter)
    }
    for (const filter of ["ord", "order.place", "order.placed.v", "order.placed.v10", "product"]) {
      assert.isFalse(matches([filter], "order.placed.v1"), filter)
    }
  })

  it("are words as in the types", () => {
    for (const filter of ["order", "order.items-shipped", "order.items-shipped.v12"])
      assert.match(filter, filterPattern)
    for (const filter of ["", "Order", "order.", "order.*", "order.placed.1", "order placed"]) {
      assert.notMatch(filter, filterPattern)
    }
  })
})
