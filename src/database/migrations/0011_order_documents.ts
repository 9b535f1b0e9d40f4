/**
 * Adds to the order view the document of each order, as callers are sent it. A rebuild fills it; older programs leave it
 * out, and what has none is made from the state.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export const orderDocuments = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // The shadow table exists while a rebuild fills it, and then takes the place of the first one.
  const tables = yield* sql<{ readonly name: string }>`
    SELECT name FROM unnest(ARRAY['order_view', 'order_view_shadow']) name
    WHERE to_regclass('ordinal.' || name) IS NOT NULL ORDER BY name`
  for (const { name } of tables) {
    yield* sql.unsafe(`ALTER TABLE ordinal.${name} ADD COLUMN document text, ADD COLUMN bytes integer`)
  }
})
