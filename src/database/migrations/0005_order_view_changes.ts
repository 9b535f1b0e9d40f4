/** Adds indexes from which the orders of one customer, or in one status, are read in the order of their last change. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export const orderViewChanges = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // The shadow table exists while a rebuild fills it, and then takes the place of the first one with its own indexes.
  const tables = yield* sql<{ readonly name: string }>`
    SELECT name FROM unnest(ARRAY['order_view', 'order_view_shadow']) name
    WHERE to_regclass('ordinal.' || name) IS NOT NULL ORDER BY name`
  for (const { name } of tables) {
    yield* sql.unsafe(`CREATE INDEX ${name}_customer_position ON ordinal.${name} (customer_id, "position")`)
    yield* sql.unsafe(`CREATE INDEX ${name}_status_position ON ordinal.${name} (status, "position")`)
  }
})
