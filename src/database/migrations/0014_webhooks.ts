/** Adds the endpoints of webhooks, and what is delivered to each. Older programs know nothing of either. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export const webhooks = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // The secrets sign, so they are here as they are. Rows of deleted endpoints stay until no process runs them any more.
  yield* sql`
    CREATE TABLE ordinal.webhook_endpoints (
      id uuid PRIMARY KEY,
      url text NOT NULL,
      types text[] NOT NULL,
      description text NOT NULL,
      start text NOT NULL,
      secret text NOT NULL,
      previous_secret text,
      previous_until timestamptz,
      state text COLLATE "C" NOT NULL DEFAULT 'enabled' CHECK (state IN ('enabled', 'disabled', 'deleted')),
      problem text,
      failing_since timestamptz,
      not_before timestamptz,
      created_at timestamptz NOT NULL,
      changed_at timestamptz NOT NULL
    )`

  // What is pending is the queue of an endpoint; what is not is its log.
  yield* sql`
    CREATE TABLE ordinal.webhook_deliveries (
      endpoint_id uuid NOT NULL REFERENCES ordinal.webhook_endpoints ON DELETE CASCADE,
      "position" bigint NOT NULL,
      event_id uuid NOT NULL,
      stream_id text COLLATE "C" NOT NULL,
      version integer NOT NULL,
      type text COLLATE "C" NOT NULL,
      state text COLLATE "C" NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
      attempts integer NOT NULL DEFAULT 0,
      next_at timestamptz NOT NULL,
      first_failed_at timestamptz,
      attempted_at timestamptz,
      status integer,
      problem text,
      PRIMARY KEY (endpoint_id, "position")
    )`
  yield* sql`CREATE INDEX webhook_deliveries_pending ON ordinal.webhook_deliveries (endpoint_id, stream_id, "position")
    WHERE state = 'pending'`
})
