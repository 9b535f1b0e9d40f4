/**
 * The SQL queries of every view have one form: a single statement reads rows of the view and, in the same snapshot, how
 * fresh they are.
 */
import { Effect, flow } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import { orUnavailable, withinSeconds } from "../database/SqlFailure.ts"
import * as Checkpoint from "../projection/Checkpoint.ts"
import type { ProjectionKey } from "../projection/Projection.ts"
import type { Freshness } from "./ViewQuery.ts"

/** Makes the statement; it answers one row: `columns`, read from what is joined to the freshness `f`. */
export const select = <Columns extends object>(
  sql: SqlClient.SqlClient,
  projection: ProjectionKey,
  columns: Statement.Fragment,
  joined: Statement.Fragment
): Statement.Statement<Columns & Checkpoint.Lag> =>
  sql`SELECT f."position", f.behind, f.lag, f.parked, ${columns}
    FROM (${Checkpoint.lag(sql, projection)}) f ${joined}`

/** Fails with `DatabaseUnavailable` if the database does not answer within 6 s. */
export const answered = flow(orUnavailable, withinSeconds(6))

export const read = Effect.fnUntraced(function* <Columns extends object>(
  statement: Statement.Statement<Columns & Checkpoint.Lag>
) {
  const [row] = yield* answered(statement)
  if (row === undefined) return yield* Effect.die(new Error("The log has no head; its schema is damaged."))
  const { behind, lag, parked, position } = row
  return { row, freshness: { position, behind, lag, parked } satisfies Freshness }
})
