/** A new, migrated PostgreSQL database, in which a projection's tables may be emptied. */
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Database } from "../../src/database/Database.ts"
import { freshLogLayer } from "./LogLayer.ts"

export const projectionDatabase = Layer.effect(
  SqlClient.SqlClient,
  Effect.map(Database, ({ projections }) => projections)
).pipe(Layer.provide(freshLogLayer()))
