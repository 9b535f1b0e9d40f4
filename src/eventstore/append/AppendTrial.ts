/**
 * Finds out whether commands can be taken now, which only trying tells: rights, names, locks, a read-only database and a
 * full disk each show at another statement. It reads the log, appends an event, and takes it back, so that nobody sees it.
 *
 * All happens in one statement, so that the log's head is not held across a round trip. Readiness asks this, through
 * `EventStore.writable`.
 */
import type { PgClient } from "@effect/sql-pg"
import { Effect, type Scope } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { withinSeconds } from "../../database/SqlFailure.ts"
import * as UuidV7 from "../UuidV7.ts"

/** The inner block is a subtransaction, which the exception takes back. */
const trial = (id: string) => `DO $trial$
  BEGIN
    PERFORM FROM ordinal.events ORDER BY "position" DESC LIMIT 1;
    PERFORM FROM ordinal.append_batch(ARRAY['trial-${id}'], ARRAY[0], '{}', false,
      '[[1, "trial-${id}", 1, "${id}", "Tried", 1, {}, {"commandId": "${id}"}]]',
      '[["trial-${id}", 0, 1, "${id}", 0, 0, false, []]]');
    RAISE EXCEPTION 'The trial is taken back.' USING ERRCODE = 'ORD01';
  EXCEPTION WHEN SQLSTATE 'ORD01' THEN NULL;
  END $trial$`

/**
 * Fails if nothing can be stored within 2 s. While appends fail, as `isFailing` tells, their connections may be gone while
 * `sql` has some, so a new connection is tried.
 */
export const make = (
  sql: PgClient.PgClient,
  connect: Effect.Effect<PgClient.PgClient, SqlError, Scope.Scope>,
  isFailing: () => boolean
): Effect.Effect<void, DatabaseUnavailable> => {
  const tryOn = (sql: PgClient.PgClient) => sql.unsafe(trial(UuidV7.make()))
  return Effect.suspend(() => (isFailing() ? Effect.scoped(Effect.flatMap(connect, tryOn)) : tryOn(sql))).pipe(
    Effect.mapError((cause) => new DatabaseUnavailable({ retryAfter: 1, cause })),
    Effect.asVoid,
    withinSeconds(2)
  )
}
