/**
 * Adds the policy `shipRequires` of the orders that were placed before orders kept it. It is the setting of the first
 * process that starts with this migration, and is never changed afterwards.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export const orderPolicies = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE ordinal.order_policies (
      singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
      founding_ship_requires text COLLATE "C" NOT NULL
        CHECK (founding_ship_requires IN ('confirmed', 'authorized', 'captured'))
    )`
  // It runs with its owner's rights, so a process needs none on the table; of two at once, one waits for the other.
  yield* sql`
    CREATE FUNCTION ordinal.founding_ship_requires(setting text) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    DECLARE
      founding text := (SELECT founding_ship_requires FROM ordinal.order_policies);
    BEGIN
      IF founding IS NULL THEN
        INSERT INTO ordinal.order_policies (founding_ship_requires) VALUES (setting) ON CONFLICT DO NOTHING;
        founding := (SELECT founding_ship_requires FROM ordinal.order_policies);
      END IF;
      RETURN founding;
    END
    $body$`
})
