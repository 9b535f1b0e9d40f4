/**
 * Finds out whether events can be stored now, which only storing one tells: rights, names, locks, a read-only database and
 * a full disk each show at another statement. It appends an event and takes it back, so that nobody ever sees it.
 *
 * Readiness asks this, through `EventStore.writable`. It holds the log's head for one more round trip than an append.
 */
import type { PgClient } from "@effect/sql-pg"
import { Effect } from "effect"
import { SecureRandom } from "effect/crypto"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { withinSeconds } from "../../database/SqlFailure.ts"
import { StreamId } from "../StreamId.ts"
import { encode, execute } from "./AppendStatement.ts"

const entry = Effect.sync(() => {
  const id = SecureRandom.uuidV7Unsafe()
  return encode({
    streamId: StreamId.make(`trial-${id}`),
    expected: 0,
    commandId: id,
    events: [{ eventId: id, type: "Tried", schemaVersion: 1, data: {} }],
    metadata: { commandId: id, correlationId: id, causationId: id }
  })
})

/** Fails if nothing can be stored within 2 s. */
export const make = (sql: PgClient.PgClient): Effect.Effect<void, DatabaseUnavailable> =>
  Effect.flatMap(entry, (entry) => execute(sql, [entry])).pipe(
    Effect.andThen(Effect.fail("taken back" as const)),
    sql.withTransaction,
    Effect.catch((error) =>
      error === "taken back" ? Effect.void : Effect.fail(new DatabaseUnavailable({ retryAfter: 1, cause: error }))
    ),
    withinSeconds(2)
  )
