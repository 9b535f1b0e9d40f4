/** The lists walk an index in their order: no sort, no scan of the whole table, on a table of 20,000 orders. */
import { assert, describe, layer as withLayer } from "@effect/vitest"
import { Effect } from "effect"
import { Database } from "../../src/database/Database.ts"
import { CustomerId, OrderId } from "../../src/order/OrderId.ts"
import type * as Cursor from "../../src/readmodel/Cursor.ts"
import type { OrderFilter, OrderSort } from "../../src/readmodel/OrderFilter.ts"
import * as OrderListStatement from "../../src/readmodel/OrderListStatement.ts"
import { fresh, readerLayer } from "../support/viewLayer.ts"

const fill = Effect.gen(function* () {
  const { projections: sql } = yield* Database
  yield* sql`INSERT INTO ordinal.order_view
      (order_id, version, "position", customer_id, status, payment_status, placed_at, updated_at, state)
    SELECT 'ord_' || lpad(to_hex(n), 8, '0') || '-0000-7000-8000-000000000000', 1, n, 'customer-' || n % 20,
      (ARRAY['placed', 'confirmed', 'partially_shipped', 'shipped', 'delivered', 'returned', 'cancelled'])[1 + n % 7],
      (ARRAY['unpaid', 'authorized', 'paid', 'voided'])[1 + n % 4],
      '2026-01-01'::timestamptz + n * interval '1 second', '2026-01-01'::timestamptz + n * interval '1 second', '{}'
    FROM generate_series(1, 20000) n ORDER BY n`
  yield* sql`ANALYZE ordinal.order_view`
})

const filters: Record<string, OrderFilter> = {
  everything: {},
  "a customer's": { customerId: CustomerId.make("customer-7") },
  "a customer's of some status": { customerId: CustomerId.make("customer-7"), status: ["placed", "shipped"] },
  "one status": { status: ["confirmed"] },
  "some statuses": { status: ["placed", "confirmed", "cancelled"] },
  "some payment statuses": { paymentStatus: ["unpaid", "paid"] },
  "a time": { placedAfter: "2026-01-01T01:00:00Z", placedBefore: "2026-01-01T03:00:00Z" },
  "a status and a time": { status: ["shipped", "placed"], placedAfter: "2026-01-01T01:00:00Z" }
}
const sorts: ReadonlyArray<OrderSort> = ["-placedAt", "placedAt", "updatedAt"]

const keyOf = (sort: OrderSort): Cursor.Key =>
  sort === "updatedAt"
    ? { _tag: "Updated", position: 9_000n }
    : {
        _tag: "Placed",
        placedAt: "2026-01-01T02:30:00.000Z",
        orderId: OrderId.make("ord_00000000-0000-7000-8000-000000000000")
      }

/** A customer's changes are few enough to be sorted, or picked out of everybody's. */
const isSortable = (filter: OrderFilter, sort: OrderSort) => filter.customerId !== undefined && sort === "updatedAt"

const cases = Object.entries(filters).flatMap(([name, filter]) =>
  sorts
    .filter((sort) => !isSortable(filter, sort))
    .flatMap((sort) => [undefined, keyOf(sort)].map((after) => ({ name, filter, sort, after })))
)

const explain = Effect.fnUntraced(function* ({ filter, sort, after }: (typeof cases)[number]) {
  const { reads: sql } = yield* Database
  const instant = (text: string | undefined) => (text === undefined ? undefined : new Date(text))
  const list = OrderListStatement.make(sql, {
    filter,
    sort,
    after,
    limit: 20,
    placedAfter: instant(filter.placedAfter),
    placedBefore: instant(filter.placedBefore)
  })
  const rows = yield* sql<{ readonly "QUERY PLAN": string }>`EXPLAIN ${list}`
  return rows.map((row) => row["QUERY PLAN"]).join("\n")
})

describe("OrderListStatement", () => {
  // Our sessions avoid sequential scans anyway; here the planner is free to choose one.
  const free = fresh((url) => readerLayer(url, { sessionSettings: { enable_seqscan: "on" } }))
  withLayer(free, { excludeTestServices: true })((it) => {
    it.effect.each(cases)("lists $name by $sort from an index that has its order", (list) =>
      Effect.gen(function* () {
        const { reads: sql } = yield* Database
        const [{ isEmpty } = { isEmpty: true }] = yield* sql<{ readonly isEmpty: boolean }>`
          SELECT NOT EXISTS (SELECT FROM ordinal.order_view) AS "isEmpty"`
        if (isEmpty) yield* fill
        const plan = yield* explain(list)
        assert.notMatch(plan, /\bSort\b(?! Key)|Seq Scan on order_view|Bitmap/, plan)
      })
    )
  })
})
