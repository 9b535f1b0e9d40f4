/** Queries are answered from an index: no scan of the whole table, no sort of more than a few rows; 100,000 orders. */
import { assert, describe, layer as withLayer } from "@effect/vitest"
import { Effect } from "effect"
import type { Statement } from "effect/sql"
import { Database } from "../../../../src/database/Database.ts"
import { CustomerId, OrderId } from "../../../../src/order/OrderId.ts"
import type { Key } from "../../../../src/views/order/OrderListQuery.ts"
import type { OrderFilter, OrderSort } from "../../../../src/views/order/OrderQueries.ts"
import { selectPage } from "../../../../src/views/order/SqlOrderPages.ts"
import { selectCounts, selectOrders } from "../../../../src/views/order/SqlOrderQueries.ts"
import { fresh, readerLayer } from "../../../../harness/views/ViewLayer.ts"

/**
 * Large customers have 980 orders, small ones 10 (whose few are sorted in no time, and are not in the lists here); what
 * is not delivered yet is among the last orders.
 */
const fill = Effect.gen(function* () {
  const { projections: sql } = yield* Database
  yield* sql`INSERT INTO ordinal.order_view
      (order_id, version, "position", customer_id, status, payment_status, placed_at, updated_at, state)
    SELECT 'ord_' || lpad(to_hex(n), 8, '0') || '-0000-7000-8000-000000000000', 1, n,
      CASE WHEN n % 3 = 0 THEN 'large-' || n % 102 ELSE 'customer-' || n % 10000 END,
      CASE WHEN n < 95000
        THEN (ARRAY['delivered', 'delivered', 'delivered', 'returned', 'cancelled'])[1 + n % 5]
        ELSE (ARRAY['placed', 'confirmed', 'partially_shipped', 'shipped'])[1 + n % 4]
      END,
      (ARRAY['unpaid', 'authorized', 'paid', 'voided'])[1 + n % 4],
      at, at, '{}'
    FROM generate_series(1, 100000) n,
      LATERAL (SELECT '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 second') time (at)
    ORDER BY n`
  // As autovacuum leaves it.
  yield* sql`VACUUM (ANALYZE) ordinal.order_view`
})

const large = CustomerId.make("large-3")
const small = CustomerId.make("customer-7")

const filters: Record<string, OrderFilter> = {
  everything: {},
  "a customer's": { customerId: large },
  "a customer's of some status": { customerId: large, status: ["placed", "delivered"] },
  "one status": { status: ["confirmed"] },
  "some statuses": { status: ["placed", "confirmed", "cancelled"] },
  "some payment statuses": { paymentStatus: ["unpaid", "paid"] },
  "a status and a payment status": { status: ["shipped", "delivered"], paymentStatus: ["unpaid"] },
  "a time": { placedAfter: "2026-01-01T01:00:00Z", placedBefore: "2026-01-01T03:00:00Z" },
  "a status and a time": { status: ["delivered", "placed"], placedAfter: "2026-01-01T01:00:00Z" }
}
const sorts: ReadonlyArray<OrderSort> = ["-placedAt", "placedAt", "updatedAt"]

const orderId = OrderId.make("ord_00000000-0000-7000-8000-000000000000")

const keyOf = (sort: OrderSort): Key =>
  sort === "updatedAt"
    ? { _tag: "Updated", position: 9_000n }
    : { _tag: "Placed", placedAt: "2026-01-01T02:30:00.000Z", orderId }

const cases = Object.entries(filters).flatMap(([name, filter]) =>
  sorts.flatMap((sort) => [undefined, keyOf(sort)].map((after) => ({ name, filter, sort, after })))
)

const instant = (text: string | undefined) => (text === undefined ? undefined : new Date(text))

describe("a query of 100,000 orders", () => {
  // Our sessions avoid sequential scans anyway; here the planner is free to choose one.
  const sessionSettings = { enable_seqscan: "on", statement_timeout: "0" }
  const free = fresh((url) => readerLayer(url, { sessionSettings }))
  withLayer(free, { excludeTestServices: true })((it) => {
    const explain = Effect.fnUntraced(function* (statement: Statement.Fragment) {
      const { reads: sql } = yield* Database
      const [{ isEmpty } = { isEmpty: true }] = yield* sql<{ readonly isEmpty: boolean }>`
        SELECT NOT EXISTS (SELECT FROM ordinal.order_view) AS "isEmpty"`
      if (isEmpty) yield* fill
      const rows = yield* sql<{ readonly "QUERY PLAN": string }>`EXPLAIN ${statement}`
      const plan = rows.map((row) => row["QUERY PLAN"]).join("\n")
      // The rows that were found and numbered, a page at most, are put in the order of their numbers.
      return plan.replace(/^Sort .*\n +Sort Key: (?:\(row_number\(\)|p\.n|a\.n).*\n/m, "")
    })

    it.effect.each(cases)("lists $name by $sort from an index that has its order", ({ after, filter, sort }) =>
      Effect.gen(function* () {
        const { reads: sql } = yield* Database
        const times = { placedAfter: instant(filter.placedAfter), placedBefore: instant(filter.placedBefore) }
        const plan = yield* explain(selectPage(sql, { filter, sort, after, limit: 20, ...times }))
        assert.notMatch(plan, /\bSort\b(?! Key)|Seq Scan on order_view|Bitmap/, plan)
        if (sort !== "updatedAt") return
        if (filter.customerId !== undefined) assert.match(plan, /order_view_customer_position/, plan)
        else if (filter.status !== undefined) assert.match(plan, /order_view_status_position/, plan)
      })
    )

    it.effect.each([large, small])("counts the orders of %s from an index alone", (customerId) =>
      Effect.gen(function* () {
        const { reads: sql } = yield* Database
        const plan = yield* explain(selectCounts(sql, customerId))
        assert.match(plan, /Index Only Scan using order_view_/, plan)
        assert.notMatch(plan, /\bSort\b|Seq Scan on order_view|Bitmap/, plan)
      })
    )
    it.effect("finds one order by its id", () =>
      Effect.gen(function* () {
        const { reads: sql } = yield* Database
        const plan = yield* explain(selectOrders(sql, [{ orderId, token: undefined }]))
        assert.match(plan, /Index Scan using order_view_pkey/, plan)
        assert.notMatch(plan, /\bSort\b|Seq Scan on order_view/, plan)
      })
    )
  })
})
