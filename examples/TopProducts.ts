/** A projection of your own beside those that orders need: it counts how many of each product were ordered per day (UTC). */
import { Effect } from "effect"
import type { Receipt } from "ordinal"
import { Database } from "ordinal/kernel"
import { type Line, OrderAggregate, type OrderEvent } from "ordinal/order"
import { type AwaitOptions, Projection, Projections, ProjectionTable } from "ordinal/projection"

const table = ProjectionTable.make({
  name: "public.product_sales",
  columns: `day date, product_id text COLLATE "C", sold bigint NOT NULL, PRIMARY KEY (day, product_id)`,
  indexes: { top: "(day, sold DESC, product_id)" }
})

const linesOf = (event: OrderEvent): ReadonlyArray<Line> => {
  if (event._tag === "OrderPlaced") return event.lines
  return event._tag === "LineAdded" ? [event.line] : []
}

export const ProductSales = Projection.make("product-sales", {
  // Increase it when you change the handler: the next start fills a new table, and uses it once it has caught up.
  version: 1,
  from: [OrderAggregate],
  types: ["OrderPlaced", "LineAdded"],
  table,
  // Events come decoded, and are counted once: `sql` is the transaction that records how far this is.
  handle: (events, { sql, table }) => {
    const sales = events.flatMap(({ event, recordedAt: day }) =>
      linesOf(event).map(({ productId, quantity }) => ({ day, productId, quantity }))
    )
    return sql`
      INSERT INTO ${table} AS known (day, product_id, sold)
      SELECT (at::timestamptz AT TIME ZONE 'UTC')::date, product_id, sum(quantity)
      FROM unnest(
        ${sales.map(({ day }) => day)}::text[],
        ${sales.map(({ productId }) => productId)}::text[],
        ${sales.map(({ quantity }) => quantity)}::integer[]
      ) AS sale (at, product_id, quantity)
      GROUP BY 1, 2
      ON CONFLICT (day, product_id) DO UPDATE SET sold = known.sold + excluded.sold`
  }
})

/** Returns the best-selling products of a day such as "2026-11-22". Given a receipt, it waits until that order counts. */
export const topProducts = Effect.fn("topProducts")(function* (day: string, order?: Receipt, options?: AwaitOptions) {
  const { reads: sql } = yield* Database
  if (order !== undefined) {
    const streamId = `order-${order.orderId}`
    yield* (yield* Projections).awaitToken(ProductSales.name, order.token, { ...options, streamId })
  }
  return yield* sql<{ readonly productId: string; readonly sold: bigint }>`
    SELECT product_id AS "productId", sold FROM ${table.in(sql, "live")}
    WHERE day = ${day}::date ORDER BY sold DESC, product_id LIMIT 10`
})
