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
import type { OutageLog } from "../../supervision/OutageLog.ts"
import * as UuidV7 from "../UuidV7.ts"

/** Together these events fill more than a page of the table, of which one small event might find the rest free. */
const page: ReadonlyArray<string> = Array.from({ length: 10 }, () => "x".repeat(1_000))

/** The inner block is a subtransaction, which the exception takes back. */
const trial = (data: ReadonlyArray<string>) => {
  const ids = data.map(() => UuidV7.make())
  const stream = `trial-${ids[0]}`
  const events = data.map((text, index) => [1, stream, index + 1, ids[index], "Tried", 1, text, { commandId: ids[0] }])
  const entry = [stream, 0, data.length, ids[0], 0, 0, false, []]
  return `DO $trial$
  BEGIN
    PERFORM FROM ordinal.events ORDER BY "position" DESC LIMIT 1;
    PERFORM FROM ordinal.append_batch(ARRAY['${stream}'], ARRAY[0], '{}', false,
      '${JSON.stringify(events)}', '${JSON.stringify([entry])}');
    RAISE EXCEPTION 'The trial is taken back.' USING ERRCODE = 'ORD01';
  EXCEPTION WHEN SQLSTATE 'ORD01' THEN NULL;
  END $trial$`
}

/** Tries to append a page of events. */
export const tryPage = (sql: PgClient.PgClient) => sql.unsafe(trial(page))

/**
 * Fails if nothing can be stored within 2 s. While appends fail, their connections may be gone while `sql` has some, and
 * there may be room for a small event only: a new connection is tried then, with a page of events. Once that works, appends
 * count as working again.
 */
export const make = (
  sql: PgClient.PgClient,
  connect: Effect.Effect<PgClient.PgClient, SqlError, Scope.Scope>,
  appends: OutageLog
): Effect.Effect<void, DatabaseUnavailable> => {
  return Effect.suspend(() =>
    appends.isFailing()
      ? Effect.andThen(Effect.scoped(Effect.flatMap(connect, tryPage)), appends.works)
      : sql.unsafe(trial([""]))
  ).pipe(
    Effect.mapError((cause) => new DatabaseUnavailable({ retryAfter: 1, cause })),
    Effect.asVoid,
    withinSeconds(2)
  )
}
