import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { CustomerId } from "../../../../src/order/OrderId.ts"
import { cursorOf, type Key, keyOf, type Listing } from "../../../../src/views/order/OrderListQuery.ts"
import { InvalidCursor } from "../../../../src/projection/view/ViewQuery.ts"
import { orderId } from "../../../../src/testing/OrderCommands.ts"

const query: Listing = {
  filter: { customerId: CustomerId.make("ada"), status: ["placed", "shipped"] },
  sort: "-placedAt"
}
const placed: Key = { _tag: "Placed", placedAt: "2026-11-21T23:55:00.123Z", orderId }
const updated: Key = { _tag: "Updated", position: 1042n }
const cursor = cursorOf(query, placed)

const isInvalid = (query: Listing, cursor: string) =>
  assert.instanceOf(Result.getOrThrow(Result.flip(keyOf(query, cursor))), InvalidCursor)

describe("the cursor of a list of orders", () => {
  it("gives back the key it was made of", () => {
    assert.deepStrictEqual(Result.getOrThrow(keyOf(query, cursor)), placed)
    const polling: Listing = { filter: {}, sort: "updatedAt" }
    const read = { position: 1050n, check: "5f2c9a1b3d4e" }
    for (const key of [updated, { ...updated, read }, { ...updated, read, parked: "17.-9001" }]) {
      assert.deepStrictEqual(Result.getOrThrow(keyOf(polling, cursorOf(polling, key))), key)
    }
  })

  it("belongs to its filter, in whatever order statuses are named", () => {
    const { filter } = query
    assert.isTrue(Result.isSuccess(keyOf({ ...query, filter: { ...filter, status: ["shipped", "placed"] } }, cursor)))
    isInvalid({ ...query, filter: { ...filter, status: ["placed"] } }, cursor)
    isInvalid({ ...query, filter: { status: ["placed", "shipped"] } }, cursor)
    isInvalid({ ...query, filter: { ...filter, placedAfter: "2026-01-01" } }, cursor)
  })

  it("belongs to its sort", () => {
    isInvalid({ ...query, sort: "placedAt" }, cursor)
    isInvalid({ ...query, sort: "updatedAt" }, cursor)
  })

  it("is refused if any character of it is changed, added or missing", () => {
    for (let index = 0; index < cursor.length; index++) {
      const other = cursor[index] === "A" ? "B" : "A"
      isInvalid(query, cursor.slice(0, index) + other + cursor.slice(index + 1))
      isInvalid(query, cursor.slice(0, index) + cursor.slice(index + 1))
      isInvalid(query, cursor.slice(0, index) + "=" + cursor.slice(index))
    }
  })

  it("is refused if it never was one", () => {
    for (const text of ["", " ", "x", "%", "\u0000", "____", "ÿ", "AAAA".repeat(5_000), cursor + cursor])
      isInvalid(query, text)
  })
})
