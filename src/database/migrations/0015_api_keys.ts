/** Adds the API keys of machines. Older programs know nothing of them, and let nobody in by one. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export const apiKeys = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // The secret is random, so a plain hash of it tells nothing. A revoked key stays, to tell whose events it caused.
  yield* sql`
    CREATE TABLE ordinal.api_keys (
      id text COLLATE "C" PRIMARY KEY,
      name text NOT NULL,
      scopes text[] NOT NULL,
      hash bytea NOT NULL,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      expires_at timestamptz,
      revoked_at timestamptz
    )`
})
