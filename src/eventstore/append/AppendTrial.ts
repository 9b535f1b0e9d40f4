/**
 * Finds out whether events can be stored now, which only storing one tells: rights, names, locks, a read-only database and
 * a full disk each show at another statement. It appends an event and takes it back, so that nobody ever sees it.
 *
 * Both happen in one statement, so that the log's head is not held across a round trip. Readiness asks this, through
 * `EventStore.writable`.
 */
import type { PgClient } from "@effect/sql-pg"
import { Effect } from "effect"
import { SecureRandom } from "effect/crypto"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { withinSeconds } from "../../database/SqlFailure.ts"

/** The inner block is a subtransaction, which the exception takes back. */
const trial = (id: string) => `DO $trial$
  BEGIN
    PERFORM FROM ordinal.append_entries(
      ARRAY['trial-${id}'], ARRAY[0], ARRAY[1], ARRAY[1], ARRAY[0], ARRAY[0], ARRAY[NULL]::uuid[], ARRAY[NULL]::text[],
      ARRAY[NULL]::text[], ARRAY['${id}']::uuid[], ARRAY['${id}']::uuid[], ARRAY[1], ARRAY['trial-${id}'], ARRAY[1],
      ARRAY['${id}']::uuid[], ARRAY['Tried'], ARRAY[1], ARRAY['{}'], ARRAY['{"commandId":"${id}"}']);
    RAISE EXCEPTION 'The trial is taken back.' USING ERRCODE = 'ORD01';
  EXCEPTION WHEN SQLSTATE 'ORD01' THEN NULL;
  END $trial$`

/** Fails if nothing can be stored within 2 s. */
export const make = (sql: PgClient.PgClient): Effect.Effect<void, DatabaseUnavailable> =>
  Effect.suspend(() => sql.unsafe(trial(SecureRandom.uuidV7Unsafe()))).pipe(
    Effect.mapError((cause) => new DatabaseUnavailable({ retryAfter: 1, cause })),
    Effect.asVoid,
    withinSeconds(2)
  )
