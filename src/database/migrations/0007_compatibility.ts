/** Adds to each migration which programs still work once it is applied; `Migrations` fills and reads that. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export const compatibility = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // NULL for the migrations before this one: programs that know no more than those ask nobody.
  yield* sql`ALTER TABLE ordinal.migrations ADD COLUMN compatible_from integer`
})
