/**
 * Brings the database up to date and ends, so that the servers themselves need no right to change the schema: its
 * migrations, and the tables of the views, which are not made by migrations.
 */
import { Console, Effect } from "effect"
import { Database } from "../database/Database.ts"
import * as Migrations from "../database/Migrations.ts"
import { viewsSchemaOf } from "../database/SchemaName.ts"
import * as ViewsSchema from "../database/ViewsSchema.ts"
import { projections } from "../orders/OrdersLayers.ts"
import * as Checkpoint from "../projection/Checkpoint.ts"

const nothing = "Nothing is left to migrate."

export const run = Effect.gen(function* () {
  const applied = yield* Migrations.run
  const { projections: sql } = yield* Database
  for (const projection of projections) yield* Checkpoint.setUp(sql, projection)
  yield* ViewsSchema.handOver(sql)
  const those = applied.map(([id, name]) => `${id} (${name})`).join(", ")
  yield* Console.log(those === "" ? nothing : `Migrated the database: ${those}.`)
})

/** Lists what `run` would do, and changes nothing. */
export const preview = Effect.gen(function* () {
  const [left, misplaced] = yield* Migrations.plan
  const { projections: sql } = yield* Database
  const names = projections.map(({ name }) => name)
  const [table] = yield* sql`SELECT WHERE to_regclass('ordinal.checkpoints') IS NOT NULL`
  const known =
    table === undefined ? [] : yield* sql<{ readonly name: string }>`SELECT projection AS name FROM ordinal.checkpoints`
  const views = names.filter((name) => !known.some((one) => one.name === name))
  const steps = [
    ...left.map(([id, name]) => `apply migration ${id} (${name})`),
    ...misplaced.map((table) => `move table ${table} to schema ${viewsSchemaOf(sql)}`),
    ...views.map((name) => `make the table and checkpoint of view ${name}`)
  ]
  yield* Console.log(steps.length === 0 ? nothing : `\`ordinal migrate\` would:\n${steps.join("\n")}`)
})
