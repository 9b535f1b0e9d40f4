/** The order view's table, and the second one that a rebuild fills and puts in its place. */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { ProjectionTables, Slot } from "../projection/Projection.ts"

export const nameOf = (slot: Slot): string => (slot === "live" ? "ordinal.order_view" : "ordinal.order_view_shadow")

/** Name and columns of each index: the live table's is `order_view_<name>`, the shadow's `order_view_shadow_<name>`. */
const indexes = {
  placed_at: "(placed_at, order_id)",
  customer: "(customer_id, placed_at, order_id) INCLUDE (status)",
  status: "(status, placed_at, order_id)",
  payment_status: "(payment_status, placed_at, order_id)",
  position: `("position")`
}

const create = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  yield* sql`
    CREATE TABLE ordinal.order_view_shadow (
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
  for (const [name, columns] of Object.entries(indexes)) {
    yield* sql.unsafe(`CREATE INDEX order_view_shadow_${name} ON ordinal.order_view_shadow ${columns}`)
  }
})

/**
 * Readers wait for the lock at most for the moment of the renaming; who waited reads the new table. Longer than the
 * server takes to stop a vacuum of the table (1 s), shorter than readers may wait.
 */
const swap = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  yield* sql`SELECT set_config('lock_timeout', '1500ms', true)`
  yield* sql`DROP TABLE ordinal.order_view`
  yield* sql`ALTER TABLE ordinal.order_view_shadow RENAME TO order_view`
  for (const name of ["pkey", ...Object.keys(indexes)]) {
    yield* sql.unsafe(`ALTER INDEX ordinal.order_view_shadow_${name} RENAME TO order_view_${name}`)
  }
})

export const tables: ProjectionTables = {
  create,
  drop: (sql) => sql`DROP TABLE IF EXISTS ordinal.order_view_shadow`,
  swap
}
