/**
 * The SQL queries of every view have one form: a single statement reads rows of the view and, in the same snapshot, how
 * fresh they are.
 */
import { Effect } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import { messageOf, orUnavailable, withinSeconds } from "../database/SqlFailure.ts"
import * as Checkpoint from "../projection/Checkpoint.ts"
import type * as ConsistencyToken from "../projection/consistency/ConsistencyToken.ts"
import type { ProjectionKey } from "../projection/Projection.ts"
import * as OutageLog from "../supervision/OutageLog.ts"
import type { Freshness, TokenError } from "./ViewQuery.ts"
import * as ViewToken from "./ViewToken.ts"

export interface Fresh extends Checkpoint.Lag {
  /** The id of the event at the position of the caller's token; null if the log has none there. */
  readonly tokenEventId: string | null
}

/**
 * Makes the statement; it answers one row: `columns`, read from what is joined to the freshness `f`, and what `read`
 * needs to verify the caller's token.
 */
export const select = <Columns extends object>(
  sql: SqlClient.SqlClient,
  projection: ProjectionKey,
  columns: Statement.Fragment,
  joined: Statement.Fragment,
  token?: ConsistencyToken.ConsistencyToken
): Statement.Statement<Columns & Fresh> =>
  sql`SELECT f."position", f.behind, f.lag, f.parked, f."logId", f."eventId",
      (SELECT e.event_id FROM ordinal.events e WHERE e."position" = ${token?.position ?? null}::bigint) AS "tokenEventId",
      ${columns}
    FROM (${Checkpoint.lag(sql, projection)}) f ${joined}`

/** Reads a view, and says in the log once that it can't be read and once that it can be again. */
export const reader = (view: string) => {
  const outage = OutageLog.make(`Reading ${view}`)

  /** Fails with `DatabaseUnavailable` if the database does not answer within 6 s. */
  const answered = <A, R>(statement: Effect.Effect<A, SqlError, R>): Effect.Effect<A, DatabaseUnavailable, R> =>
    statement.pipe(
      Effect.tapError((error) => outage.failed(messageOf(error))),
      orUnavailable,
      withinSeconds(6),
      Effect.tap(() => (outage.isFailing() ? outage.works : Effect.void))
    )

  /** Refuses a token that this log did not issue, and rows that are older than the token. */
  const read = Effect.fnUntraced(function* <Columns extends object>(
    statement: Statement.Statement<Columns & Fresh>,
    token?: ConsistencyToken.ConsistencyToken
  ): Effect.fn.Return<{ readonly row: Columns; readonly freshness: Freshness }, TokenError | DatabaseUnavailable> {
    const [row] = yield* answered(statement)
    if (row === undefined) return yield* Effect.die(new Error("The log has no head; its schema is damaged."))
    // A checkpoint of history that was lost has passed no position of this log.
    yield* ViewToken.check(token, row.logId, row.tokenEventId, row.eventId === null ? 0n : row.position)
    const { behind, lag, parked, position } = row
    const freshness = { position, behind, lag, parked, token: ViewToken.of(row.logId, position, row.eventId) }
    return { row, freshness }
  })

  return { answered, read }
}
