import { Effect } from "effect"
import { Database } from "../../src/database/Database.ts"

/** Cuts the log off after this position, as restoring an old copy does: later positions are given out again. */
export const restoreLog = Effect.fnUntraced(function* (position: bigint) {
  const { reads: sql } = yield* Database
  yield* Effect.gen(function* () {
    yield* sql`SET LOCAL session_replication_role = replica`
    yield* sql`DELETE FROM ordinal.events WHERE "position" > ${position}`
    yield* sql`UPDATE ordinal.log_head SET "position" = ${position}`
  }).pipe(sql.withTransaction)
})
