/** The one statement of a single order: its row, whether it is set aside, and in the same snapshot how fresh that is. */
import type { SqlClient } from "effect/sql"
import * as StreamId from "../../eventstore/StreamId.ts"
import type { Order } from "../../order/OrderState.ts"
import * as Checkpoint from "../../projection/Checkpoint.ts"
import { OrderViewProjection } from "./OrderViewProjection.ts"

export interface FoundRow extends Checkpoint.Lag {
  readonly order: Order | null
  readonly updatedAt: Date | null
  readonly parkedAt: bigint | null
}

export const make = (sql: SqlClient.SqlClient, orderId: string) =>
  sql<FoundRow>`SELECT f."position", f.behind, f.lag, f.parked, v.state AS "order", v.updated_at AS "updatedAt",
      CASE WHEN f.parked > 0 THEN (
        SELECT p."position" FROM ordinal.parked_streams p
        WHERE p.projection = ${OrderViewProjection.name} AND p.slot = 'live' AND p.parked
          AND p.stream_id = ${StreamId.make("order", orderId)}
      ) END AS "parkedAt"
    FROM (${Checkpoint.lag(sql, OrderViewProjection)}) f
    LEFT JOIN ordinal.order_view v ON v.order_id = ${orderId}`
