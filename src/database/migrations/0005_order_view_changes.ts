/** What changed, of one customer or in one status, is read from an index in that order, however far back it begins. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export const orderViewChanges = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // The second one is there while a rebuild fills it, and takes the first one's place with all its indexes.
  const tables = yield* sql<{ readonly name: string }>`
    SELECT name FROM unnest(ARRAY['order_view', 'order_view_shadow']) name
    WHERE to_regclass('ordinal.' || name) IS NOT NULL ORDER BY name`
  for (const { name } of tables) {
    yield* sql.unsafe(`CREATE INDEX ${name}_customer_position ON ordinal.${name} (customer_id, "position")`)
    yield* sql.unsafe(`CREATE INDEX ${name}_status_position ON ordinal.${name} (status, "position")`)
  }
})
