/** Creates the read side: the checkpoints of projections, and the order view with an index for each way to list it. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export const orderView = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // Every batch updates a row, so its page has room for many versions of it, and a vacuum comes often.
  yield* sql`
    CREATE TABLE ordinal.checkpoints (
      projection text COLLATE "C" NOT NULL,
      version integer NOT NULL,
      log_id uuid NOT NULL,
      "position" bigint NOT NULL,
      updated_at timestamptz NOT NULL,
      PRIMARY KEY (projection, version)
    ) WITH (
      fillfactor = 10,
      autovacuum_vacuum_threshold = 200,
      autovacuum_vacuum_scale_factor = 0,
      autovacuum_vacuum_cost_delay = 0
    )`

  // "position" is that of the order's last event. "state" is json and not jsonb, because it is only ever read whole.
  yield* sql`
    CREATE TABLE ordinal.order_view (
      order_id text COLLATE "C" PRIMARY KEY,
      version integer NOT NULL,
      "position" bigint NOT NULL,
      customer_id text COLLATE "C" NOT NULL,
      status text COLLATE "C" NOT NULL,
      payment_status text COLLATE "C" NOT NULL,
      placed_at timestamptz NOT NULL,
      updated_at timestamptz NOT NULL,
      state json NOT NULL
    ) WITH (fillfactor = 80)`
  yield* sql`CREATE INDEX order_view_placed_at ON ordinal.order_view (placed_at, order_id)`
  yield* sql`CREATE INDEX order_view_customer ON ordinal.order_view (customer_id, placed_at, order_id)`
  yield* sql`CREATE INDEX order_view_status ON ordinal.order_view (status, placed_at, order_id)`
  yield* sql`CREATE INDEX order_view_payment_status ON ordinal.order_view (payment_status, placed_at, order_id)`
  yield* sql`CREATE INDEX order_view_position ON ordinal.order_view ("position")`
})
