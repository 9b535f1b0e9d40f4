/**
 * A client over connections of another client. Its transactions are its own: a statement of the one is never part of a
 * transaction of the other. Results have the types that the other client reads, but its transformations of names are off.
 */
import { PgClient } from "@effect/sql-pg"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import type { Acquirer, Connection } from "effect/sql/SqlConnection"
import { SqlError, UnknownError } from "effect/sql/SqlError"

/** PostgreSQL answers COMMIT with ROLLBACK if the transaction was aborted. */
const commit = (connection: Connection) =>
  Effect.flatMap(connection.executeRaw("COMMIT", []), (result) =>
    (result as { readonly command: string }).command === "COMMIT"
      ? Effect.void
      : Effect.fail(
          new SqlError({
            reason: new UnknownError({ cause: result, message: "The transaction was aborted", operation: "commit" })
          })
        )
  )

/** Makes a client of what `acquirer` gives; whoever uses it has that connection to himself meanwhile. */
export const make = Effect.fnUntraced(function* (client: PgClient.PgClient, acquirer: Acquirer) {
  const sql = yield* SqlClient.make({
    acquirer,
    compiler: PgClient.makeCompiler(),
    driver: "pg",
    prepareTransactionControls: true,
    commit,
    releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
    spanAttributes: [["db.system.name", "postgresql"]]
  })
  const { config, json, listen, notify } = client
  return Object.assign(sql, { [PgClient.TypeId]: PgClient.TypeId, config, json, listen, notify })
})
