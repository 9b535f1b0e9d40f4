/** Creates the table of snapshots: saved states of long streams, one per stream. Any may be deleted at any time. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export const snapshots = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    CREATE TABLE ordinal.snapshots (
      stream_id text COLLATE "C" PRIMARY KEY,
      version integer NOT NULL,
      "position" bigint NOT NULL,
      recorded_at timestamptz NOT NULL,
      fingerprint text NOT NULL,
      state json NOT NULL
    )`
})
