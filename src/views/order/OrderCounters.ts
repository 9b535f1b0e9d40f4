/**
 * Counts the orders in each status, beside each table of the order view: whoever writes rows moves the counters by the same
 * statement. They count what the orders are by their events, so a row that was changed by hand does not count for another
 * status; a repair counts anew. A table of an older version of the view has no counters that hold, and is counted by rows.
 */
import type { SqlClient, Statement } from "effect/sql"
import { OrderStatus } from "../../order/OrderStatus.ts"

/** From this version of the view on its tables have counters. */
const since = 4

/** Sets the counters of a new table to 0, and forgets those of tables that are gone. */
export const begin = (table: string): string => `
  WITH gone AS (DELETE FROM ordinal.order_counts c WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = c.view))
  INSERT INTO ordinal.order_counts (view, status, orders)
  SELECT '${table}'::regclass, status, 0 FROM unnest('{${OrderStatus.literals.join()}}'::text[]) AS status
  ON CONFLICT (view, status) DO UPDATE SET orders = 0`

export interface Change {
  readonly before: OrderStatus | undefined
  readonly after: OrderStatus
}

/** A part of a statement that moves the counters of a table by these changes; `undefined` if they move none. */
export const moved = (sql: SqlClient.SqlClient, table: Statement.Fragment, changes: ReadonlyArray<Change>) => {
  const sums = new Map<OrderStatus, number>()
  const add = (status: OrderStatus | undefined, one: number) => {
    if (status !== undefined) sums.set(status, (sums.get(status) ?? 0) + one)
  }
  for (const { after, before } of changes) {
    add(before, -1)
    add(after, 1)
  }
  const moves = [...sums].filter(([, sum]) => sum !== 0)
  if (moves.length === 0) return undefined
  return sql`UPDATE ordinal.order_counts c SET orders = c.orders + m.orders
    FROM unnest(${moves.map(([status]) => status)}::text[], ${moves.map(([, sum]) => sum)}::integer[]) m (status, orders)
    WHERE c.view = '${table}'::regclass AND c.status = m.status`
}

/** Counts the rows of the table that serves, after some were put right. */
export const recount = (sql: SqlClient.SqlClient) =>
  sql`UPDATE ordinal.order_counts c
    SET orders = (SELECT count(*) FROM ordinal.order_view v WHERE v.status = c.status)
    WHERE c.view = 'ordinal.order_view'::regclass`

/** A query of the counters of the table that serves, as JSON; NULL if it has none that hold. */
export const kept = (sql: SqlClient.SqlClient) =>
  sql`SELECT json_object_agg(c.status, c.orders) FROM ordinal.order_counts c
    JOIN ordinal.checkpoints p ON p.projection = 'order-view' AND p.slot = 'live' AND p.version >= ${since}
    WHERE c.view = 'ordinal.order_view'::regclass`
