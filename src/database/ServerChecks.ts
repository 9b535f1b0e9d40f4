/** Refuses, before anything is stored, a PostgreSQL server or a way to it that can't keep what this program promises. */
import { Effect } from "effect"
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
