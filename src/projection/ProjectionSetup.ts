/** Makes a projection's table and checkpoint, together, before it runs for the first time on this log. */
import { Effect } from "effect"
import { Database } from "../database/Database.ts"
import * as Checkpoint from "./Checkpoint.ts"
import type { Projection } from "./Projection.ts"

/** Safe when many processes start at once: the others wait, and find the checkpoint. */
export const run = Effect.fn("Projection.setUp")(function* (projection: Projection) {
  const { projections: sql } = yield* Database
  const key = { name: projection.name, version: projection.version, slot: "live" } as const
  yield* sql.withTransaction(
    Effect.gen(function* () {
      yield* sql`SELECT pg_advisory_xact_lock(hashtextextended(${`ordinal projection ${key.name}`}, 0))`
      if ((yield* Checkpoint.stored(sql, key)) !== undefined) return
      if (projection.tables !== undefined) yield* projection.tables.create(sql, "live")
      yield* Checkpoint.create(sql, key)
    })
  )
})
