/** The one statement of the counts: orders by status, and in the same snapshot how fresh that is. */
import type { SqlClient } from "effect/sql"
import * as Checkpoint from "../../projection/Checkpoint.ts"
import type { OrderCounts } from "./OrderQueries.ts"
import { OrderViewProjection } from "./OrderViewProjection.ts"

export interface CountsRow extends Checkpoint.Lag {
  readonly counts: Partial<OrderCounts>
}

export const make = (sql: SqlClient.SqlClient, customerId: string | undefined) =>
  sql<CountsRow>`SELECT f."position", f.behind, f.lag, f.parked, coalesce(c.counts, '{}') AS counts
    FROM (${Checkpoint.lag(sql, OrderViewProjection)}) f
    CROSS JOIN (
      SELECT json_object_agg(v.status, v.orders) AS counts
      FROM (
        SELECT status, count(*) AS orders FROM ordinal.order_view
        WHERE ${customerId === undefined ? sql`true` : sql`customer_id = ${customerId}`}
        GROUP BY status
      ) v
    ) c`
