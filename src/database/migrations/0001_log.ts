/** Creates the log: its head, its events, the outcomes of keyed commands, and the append function. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { appendFunction } from "../../eventstore/append/AppendFunction.ts"

export const log = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // Every append updates the only row, so its page has room for many versions of it, and a vacuum comes often.
  yield* sql`
    CREATE TABLE ordinal.log_head (
      singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
      log_id uuid NOT NULL DEFAULT gen_random_uuid(),
      "position" bigint NOT NULL DEFAULT 0,
      recorded_at timestamptz NOT NULL DEFAULT '-infinity'
    ) WITH (
      fillfactor = 10,
      autovacuum_vacuum_threshold = 200,
      autovacuum_vacuum_scale_factor = 0,
      autovacuum_vacuum_cost_delay = 0
    )`
  yield* sql`INSERT INTO ordinal.log_head DEFAULT VALUES`

  yield* sql`
    CREATE TABLE ordinal.events (
      "position" bigint PRIMARY KEY,
      stream_id text COLLATE "C" NOT NULL,
      version integer NOT NULL,
      event_id uuid NOT NULL UNIQUE,
      type text NOT NULL,
      schema_version integer NOT NULL,
      data jsonb NOT NULL,
      metadata jsonb NOT NULL,
      recorded_at timestamptz NOT NULL,
      UNIQUE (stream_id, version)
    )`

  yield* sql`
    CREATE TABLE ordinal.commands (
      command_id uuid PRIMARY KEY,
      fingerprint text NOT NULL,
      stream_id text COLLATE "C" NOT NULL,
      version integer NOT NULL,
      "position" bigint NOT NULL,
      receipt jsonb NOT NULL,
      recorded_at timestamptz NOT NULL
    )`
  yield* sql`CREATE INDEX commands_recorded_at ON ordinal.commands (recorded_at)`

  yield* sql`
    CREATE FUNCTION ordinal.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
      RAISE EXCEPTION 'events are never changed or removed' USING ERRCODE = '42501';
    END
    $body$`
  yield* sql`
    CREATE TRIGGER events_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON ordinal.events
    FOR EACH STATEMENT EXECUTE FUNCTION ordinal.refuse_change()`

  yield* sql.unsafe(appendFunction)
  yield* sql`REVOKE ALL ON FUNCTION ordinal.append_entries FROM PUBLIC`
})
