/** Gives rebuilds that were replaced by one of another version a state of their own; before, only a text told them. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export const replacedRebuilds = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    ALTER TABLE ordinal.rebuilds
      DROP CONSTRAINT rebuilds_state_check,
      ADD CONSTRAINT rebuilds_state_check
        CHECK (state IN ('running', 'paused', 'blocked', 'completed', 'aborted', 'replaced'))`
  yield* sql`UPDATE ordinal.rebuilds SET state = 'replaced'
    WHERE state = 'aborted' AND problem LIKE 'replaced by a rebuild of version %'`
})
