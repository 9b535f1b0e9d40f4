/**
 * Makes a projection's table and checkpoint, together, before it runs for the first time on this log. A table that has
 * rows already is not begun upon: it would have every event applied twice.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import * as Checkpoint from "./Checkpoint.ts"
import type { Projection } from "./Projection.ts"
import { ProjectionBroken } from "./run/ProjectionBroken.ts"

const firstTwice = (names: ReadonlyArray<string>) => names.find((name, index) => names.indexOf(name) < index)

/** Why these can't run beside each other. */
export const clashOf = (projections: ReadonlyArray<Projection>): string | undefined => {
  const name = firstTwice(projections.map(({ name }) => name))
  if (name !== undefined) return `two projections are named ${name}; each needs a name of its own`
  const table = firstTwice(projections.flatMap(({ tables }) => tables?.names ?? []))
  return table === undefined ? undefined : `two projections keep their rows in ${table}; each needs a table of its own`
}

/** Safe when many processes start at once: the others wait, and find the checkpoint. */
export const run = Effect.fn("Projection.setUp")(function* (
  sql: SqlClient.SqlClient,
  { name, tables, version }: Projection
): Effect.fn.Return<void, ProjectionBroken | SqlError.SqlError> {
  const key = { name, version, slot: "live" } as const
  const setUp = Effect.gen(function* () {
    yield* sql`SELECT pg_advisory_xact_lock(hashtextextended(${`ordinal projection ${name}`}, 0))`
    if ((yield* Checkpoint.stored(sql, key)) !== undefined) return
    if (tables !== undefined) {
      yield* tables.create(sql, "live")
      if (!(yield* tables.isEmpty(sql))) {
        const problem = `its table ${tables.names[0]} has rows already, but no checkpoint says of which events; drop the table`
        return yield* new ProjectionBroken({ projection: name, problem })
      }
    }
    yield* Checkpoint.create(sql, key)
  })
  yield* sql.withTransaction(setUp)
})
