/**
 * The documents that the view keeps are tied to the version of its projection: a program with other documents has another
 * version, so that a view which an older one made is built anew, and is not served as if it were today's.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { digest, documents } from "../../../../harness/fixtures/OrderDocuments.ts"
import * as given from "../../../../harness/orders/OrderHistory.ts"
import { defaultPolicies } from "../../../../src/order/OrderPolicies.ts"
import type { Order } from "../../../../src/order/OrderState.ts"
import { timeOf } from "../../../../src/testing/Given.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import * as StoredOrder from "../../../../src/views/order/StoredOrder.ts"

const fixture = join(import.meta.dirname, "documents.json")

/** Gives a value whose objects have their members in the opposite order. */
const turned = <Value>(value: Value): Value => {
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(turned) as Value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, turned(member)])
  ) as Value
}

describe("the document of an order", () => {
  it("changes, as the rules of `allowed` do, only together with the version of the projection", () => {
    const { version } = OrderViewProjection
    const now = { version, digest: digest(), documents: documents() }
    assert.deepStrictEqual(
      now,
      JSON.parse(readFileSync(fixture, "utf8")),
      "The documents changed. Raise the version of OrderViewProjection, so that views are built anew, then put into " +
        `documents.json: ${JSON.stringify({ ...now, version: "<the new version>" })}`
    )
  })

  it("is the same text, whatever order the members of its state have", () => {
    for (const commands of Object.values(given.history)) {
      if (commands.length === 0) continue
      const order: Order = given.orderAfter(...commands)
      assert.strictEqual(StoredOrder.textOf(turned(order), timeOf(9)), StoredOrder.textOf(order, timeOf(9)))
    }
  })

  it("is not kept of an order from before orders kept their policy, since what is allowed depends on the log's", () => {
    const { shipRequires: _, ...old } = given.orderAfter(given.place, given.confirm)
    assert.isUndefined(StoredOrder.textOf(old, timeOf(1)))
    const allowedUnder = (foundingShipRequires: "captured" | "confirmed") =>
      StoredOrder.decode(StoredOrder.fromState(old, timeOf(1), { ...defaultPolicies, foundingShipRequires })).allowed
    assert.include(allowedUnder("confirmed"), "ShipItems")
    assert.notInclude(allowedUnder("captured"), "ShipItems")
  })
})
