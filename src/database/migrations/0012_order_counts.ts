/** Adds counters of the orders in each status, for each table of the order view that has some. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export const orderCounts = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // A table that is renamed keeps its counters. Every batch updates rows, so their page has room for many versions of them.
  yield* sql`
    CREATE TABLE ordinal.order_counts (
      view regclass NOT NULL,
      status text COLLATE "C" NOT NULL,
      orders bigint NOT NULL,
      PRIMARY KEY (view, status)
    ) WITH (
      fillfactor = 10,
      autovacuum_vacuum_threshold = 200,
      autovacuum_vacuum_scale_factor = 0,
      autovacuum_vacuum_cost_delay = 0
    )`
})
