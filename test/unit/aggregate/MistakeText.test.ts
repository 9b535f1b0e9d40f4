import { assert, describe, it } from "@effect/vitest"
import { nearest } from "../../../src/aggregate/MistakeText.ts"

const list = ["customerId", "status", "paymentStatus", "placedAfter", "placedBefore", "sort", "limit", "cursor"]
const line = ["productId", "quantity", "lineId", "unitDiscount"]

describe("the name that was probably meant", () => {
  const meant: ReadonlyArray<readonly [name: string, known: ReadonlyArray<string>, meant: string | undefined]> = [
    ["customer", list, "customerId"],
    ["customer_id", list, "customerId"],
    ["CUSTOMERID", list, "customerId"],
    ["custmerId", list, "customerId"],
    ["payment-status", list, "paymentStatus"],
    ["stauts", list, "status"],
    ["lim", list, "limit"],
    ["placedAftr", list, "placedAfter"],
    ["x", list, undefined],
    ["page", list, undefined],
    ["x".repeat(100_000), list, undefined],
    ["qty", line, "quantity"],
    ["product", line, "productId"],
    ["itmes", ["items", "carrier"], "items"],
    ["a", [], undefined]
  ]
  it.each(meant)("%s", (name, known, expected) => {
    assert.strictEqual(nearest(name, known), expected)
  })
})
