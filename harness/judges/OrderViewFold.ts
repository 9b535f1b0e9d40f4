/** The order view as it is in the database, and as the fold of the log says it should be: equal, or it is broken. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { Database } from "../../src/database/Database.ts"
import { category } from "../../src/eventstore/StreamId.ts"
import { paymentStatus, status } from "../../src/order/OrderStatus.ts"
import * as OrderEntry from "../../src/views/order/OrderEntry.ts"
import * as StoredOrder from "../../src/views/order/StoredOrder.ts"
import { equal, readFrom } from "../../src/testing/EventStoreEntries.ts"

export const stored = (sql: SqlClient.SqlClient) =>
  sql`SELECT order_id AS "orderId", version, "position", customer_id AS "customerId", status,
      payment_status AS "paymentStatus", placed_at AS "placedAt", updated_at AS "updatedAt", state, document
    FROM ordinal.order_view ORDER BY order_id`

export const foldedEntries = Effect.map(readFrom(0n), (events) => {
  const entries = new Map<string, OrderEntry.OrderEntry>()
  for (const event of events) {
    if (category(event.streamId) !== "order") continue
    entries.set(event.streamId, OrderEntry.evolve(entries.get(event.streamId), event))
  }
  return [...entries.values()]
})

const folded = Effect.map(foldedEntries, (entries) =>
  entries
    .map(({ order, position, updatedAt }) => ({
      orderId: order.id,
      version: order.version,
      position,
      customerId: order.customerId,
      status: status(order),
      paymentStatus: paymentStatus(order),
      placedAt: new Date(order.placedAt),
      updatedAt: new Date(updatedAt),
      state: JSON.parse(JSON.stringify(order)),
      document: StoredOrder.textOf(order, updatedAt) ?? null
    }))
    .sort((left, right) => (left.orderId < right.orderId ? -1 : 1))
)

export const assertViewIsFold = Effect.gen(function* () {
  const { reads } = yield* Database
  const [view, fold] = [yield* stored(reads), yield* folded]
  assert.isAbove(fold.length, 0)
  equal(view, fold)
})
