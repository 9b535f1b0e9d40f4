/** Looks at the PostgreSQL server when a process starts: refuses what can't keep this program's promises, warns of the rest. */
import { Duration, Effect } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { DatabaseNotOpened } from "./DatabaseErrors.ts"

/** Fails unless the database holds any text: in another encoding than UTF8 a customer's name may be refused. */
export const encoding = Effect.fnUntraced(function* (sql: SqlClient) {
  const [row] = yield* sql<{ readonly encoding: string }>`SELECT current_setting('server_encoding') AS encoding`
  if (row?.encoding === "UTF8") return
  return yield* new DatabaseNotOpened({
    reason: "Encoding",
    problem:
      `The database's encoding is ${row?.encoding}, which can't hold all text. Make a database for the server with ` +
      "CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0."
  })
})

/**
 * Warns if the log's newest event was recorded more than a minute ahead of the database's clock, because that clock was
 * wrong then or is wrong now. Times never go back in the log, so each new event gets that time too.
 */
export const clock = Effect.fnUntraced(function* (sql: SqlClient) {
  const [row] = yield* sql<{ readonly seconds: number }>`
    SELECT extract(epoch FROM recorded_at - clock_timestamp())::float8 AS seconds FROM ordinal.log_head
    WHERE recorded_at > clock_timestamp() + interval '1 minute'`
  if (row === undefined) return
  yield* Effect.logWarning(
    `The newest event was recorded ${Duration.format(Duration.seconds(Math.round(row.seconds)))} ahead of the database's ` +
      "clock. New events get that time until the clock has reached it; compare the clock with a right one."
  )
})
