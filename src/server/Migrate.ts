/**
 * Brings the database up to date and ends, so that the servers themselves need no right to change the schema: its
 * migrations, and the tables of the views, which are not made by migrations.
 */
import { Console, Effect } from "effect"
import { Database } from "../database/Database.ts"
import * as Migrations from "../database/Migrations.ts"
import { projections } from "../orders/OrdersLayers.ts"
import * as Checkpoint from "../projection/Checkpoint.ts"

export const run = Effect.gen(function* () {
  const applied = yield* Migrations.run
  const { projections: sql } = yield* Database
  for (const projection of projections) yield* Checkpoint.setUp(sql, projection)
  const those = applied.map(([id, name]) => `${id} (${name})`).join(", ")
  yield* Console.log(those === "" ? "Nothing is left to migrate." : `Migrated the database: ${those}.`)
})
