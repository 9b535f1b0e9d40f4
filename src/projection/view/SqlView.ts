/**
 * The SQL queries of every view have one form: a single statement reads rows of the view and, in the same snapshot, how
 * fresh they are.
 *
 * Invariant: an answer is never older than one that this process has given before from the same view, or than an event
 * that it has pushed. PostgreSQL may take back a view's last transactions when it crashes, and the projection makes them
 * anew: until then, readers wait.
 */
import { Effect } from "effect"
import type { SqlClient, Statement } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { messageOf, orUnavailable, withinSeconds } from "../../database/SqlFailure.ts"
import * as Checkpoint from "../Checkpoint.ts"
import * as ConsistencyToken from "../consistency/ConsistencyToken.ts"
import type { ProjectionProgress } from "../consistency/ProjectionProgress.ts"
import type { ProjectionKey } from "../Projection.ts"
import * as MonotonicClock from "../../supervision/MonotonicClock.ts"
import * as OutageLog from "../../supervision/OutageLog.ts"
import type { Freshness, TokenError } from "./ViewQuery.ts"
import * as ViewToken from "./ViewToken.ts"

/** The first row of an answer says how fresh all of its rows are. */
export type Fresh = Checkpoint.Lag

export interface TokenEvent {
  /** The id of the event at the position of the caller's token; null if the log has none there. */
  readonly tokenEventId: string | null
}

/** The columns of `Fresh`, which are NULL in all rows of the answer but the first. */
export const freshColumns = (sql: SqlClient.SqlClient, isFirst: Statement.Fragment) =>
  sql.join(
    ", ",
    false
  )(
    ["position", "behind", "lag", "parked", "logId", "eventId"].map(
      (name) => sql`CASE WHEN ${isFirst} THEN f.${sql(name)} END AS ${sql(name)}`
    )
  )

/** A column with the id of the event at the position of the caller's token, by which the token is verified. */
export const tokenEventId = (sql: SqlClient.SqlClient, position: Statement.Fragment) =>
  sql`(SELECT e.event_id FROM ordinal.events e WHERE e."position" = ${position}) AS "tokenEventId"`

/**
 * Makes a statement that answers one row: `columns`, read from what is joined to the freshness `f`, and what `read`
 * needs to verify the caller's token.
 */
export const select = <Columns extends object>(
  sql: SqlClient.SqlClient,
  projection: ProjectionKey,
  columns: Statement.Fragment,
  joined: Statement.Fragment,
  token?: ConsistencyToken.ConsistencyToken
): Statement.Statement<Columns & Fresh & TokenEvent> =>
  sql`SELECT f."position", f.behind, f.lag, f.parked, f."logId", f."eventId",
      ${tokenEventId(sql, sql`${token?.position ?? null}::bigint`)}, ${columns}
    FROM (${Checkpoint.lag(sql, projection)}) f ${joined}`

export interface Answer<Row> {
  readonly rows: ReadonlyArray<Row>
  readonly freshness: Freshness
  /** Fails unless the log has issued the token, and the rows are as fresh as it demands. */
  readonly verify: (
    token: ConsistencyToken.ConsistencyToken | undefined,
    tokenEventId: string | null
  ) => Effect.Effect<void, TokenError>
}

const freshnessOf = ({ behind, eventId, lag, logId, parked, position }: Fresh): Freshness => ({
  position,
  behind,
  lag,
  parked,
  token: ViewToken.of(logId, position, eventId)
})

/** A reader waits so many milliseconds, at most, until the view has again what was told from it before. */
const longestReturn = 2_000

/** Reads a view, and says in the log once that it can't be read and once that it can be again, unless `outage` does. */
export const reader = (
  sql: SqlClient.SqlClient,
  view: string,
  projection: ProjectionKey,
  progress: ProjectionProgress["Service"],
  outage = OutageLog.make(`Reading ${view}`)
) => {
  /** The newest snapshot that was answered. */
  let newest: Pick<Fresh, "eventId" | "logId" | "position"> = { position: 0n, logId: "", eventId: null }

  /** Fails with `DatabaseUnavailable` if the database does not answer within 6 s. */
  const answered = <A, R>(statement: Effect.Effect<A, SqlError, R>): Effect.Effect<A, DatabaseUnavailable, R> =>
    statement.pipe(
      Effect.tapError((error) => outage.failed(messageOf(error))),
      orUnavailable,
      withinSeconds(6),
      Effect.tap(() => (outage.isFailing() ? outage.works : Effect.void))
    )

  /** Tells whether the log still holds the history of a snapshot: then a view that is older has gone back. */
  const isHistory = ({ eventId, logId, position }: typeof newest, now: Fresh) =>
    logId !== now.logId
      ? Effect.succeed(false)
      : answered(sql`SELECT FROM ordinal.events WHERE "position" = ${position} AND event_id = ${eventId}::uuid`).pipe(
          Effect.map((rows) => rows.length > 0)
        )

  /** Runs a statement whose first row has the columns of `Fresh`, until it is not older than what was answered before. */
  const readAll = Effect.fnUntraced(function* <Row extends Fresh>(
    statement: Effect.Effect<ReadonlyArray<Row>, SqlError>
  ): Effect.fn.Return<Answer<Row>, TokenError | DatabaseUnavailable> {
    const required = newest
    // Pushes are let out up to here.
    const told = yield* progress.position(projection)
    let rows = yield* answered(statement)
    let [first] = rows
    if (first === undefined) return yield* Effect.die(new Error("The log has no head; its schema is damaged."))
    const isAnswered = first.position < required.position
    if (first.position < told || isAnswered) {
      const isKept = isAnswered && (yield* isHistory(required, first))
      const target = isAnswered && !isKept ? 0n : told > required.position ? told : required.position
      const start = yield* MonotonicClock.millis
      while (first.position < target && (yield* MonotonicClock.millis) - start < longestReturn) {
        yield* Effect.sleep("20 millis")
        rows = yield* answered(statement)
        first = rows[0]!
      }
      const { behind, eventId, position: current } = first
      // The told position is gone for good if the log ends before it, or the view was made of another history.
      const isTold = eventId !== null && current + BigInt(behind) >= told
      if (current < target && (isKept || isTold)) {
        return yield* new ConsistencyToken.ProjectionBehind({ required: target, current, retryAfter: 1 })
      }
      if (current < told) progress.forget(projection)
    }
    const { eventId, logId, position } = first
    if (eventId !== null && (newest === required || position > newest.position)) {
      newest = { position, logId, eventId }
      progress.committed(projection, position)
    }
    return {
      rows,
      freshness: freshnessOf(first),
      // A checkpoint of history that was lost has passed no position of this log.
      verify: (token, tokenEventId) => ViewToken.check(token, logId, tokenEventId, eventId === null ? 0n : position)
    }
  })

  /** Refuses a token that this log did not issue, and rows that are older than the token. */
  const read = Effect.fnUntraced(function* <Columns extends object>(
    statement: Effect.Effect<ReadonlyArray<Columns & Fresh & TokenEvent>, SqlError>,
    token?: ConsistencyToken.ConsistencyToken
  ): Effect.fn.Return<{ readonly row: Columns; readonly freshness: Freshness }, TokenError | DatabaseUnavailable> {
    const { freshness, rows, verify } = yield* readAll(statement)
    const row = rows[0]!
    yield* verify(token, row.tokenEventId)
    return { row, freshness }
  })

  return { answered, read, readAll }
}
