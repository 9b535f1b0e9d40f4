import { assert, it } from "@effect/vitest"
import { wireType } from "../../../src/aggregate/PublishedEvent.ts"

it.each([
  ["order", "OrderPlaced", 1, "order.placed.v1"],
  ["order", "LineAdded", 1, "order.line-added.v1"],
  ["order", "ItemsShipped", 2, "order.items-shipped.v2"],
  ["order", "PaymentCaptured", 1, "order.payment-captured.v1"],
  ["order", "OrderlyReturned", 1, "order.orderly-returned.v1"],
  ["product", "ProductSaved", 1, "product.saved.v1"],
  ["customer", "CustomerWithdrawn", 1, "customer.withdrawn.v1"]
])("%s, %s, %d is %s", (category, type, version, expected) => {
  assert.strictEqual(wireType(category, type, version), expected)
})
