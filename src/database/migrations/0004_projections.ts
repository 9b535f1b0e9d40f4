/**
 * Adds what a projection needs to be run by one of many processes, paused, repaired, and rebuilt beside what serves.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export const projections = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // A projection has at most two checkpoints: `live` is of the table that is read, `shadow` of the one that a rebuild
  // fills. `parked` counts the projection's parked streams; `owner` is the process that may run it until `until`.
  yield* sql`
    ALTER TABLE ordinal.checkpoints
      ADD COLUMN slot text COLLATE "C" NOT NULL DEFAULT 'live' CHECK (slot IN ('live', 'shadow')),
      ADD COLUMN owner uuid,
      ADD COLUMN until timestamptz,
      ADD COLUMN paused boolean NOT NULL DEFAULT false,
      ADD COLUMN parked integer NOT NULL DEFAULT 0,
      ADD COLUMN problem text,
      DROP CONSTRAINT checkpoints_pkey,
      ADD PRIMARY KEY (projection, slot)`

  // "version" and "position" are of the first event that is not applied. The row of a stream that is no longer parked
  // stays on record if events of the stream were skipped.
  yield* sql`
    CREATE TABLE ordinal.parked_streams (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      projection text COLLATE "C" NOT NULL,
      slot text COLLATE "C" NOT NULL,
      stream_id text COLLATE "C" NOT NULL,
      version integer NOT NULL,
      "position" bigint NOT NULL,
      reason text NOT NULL,
      parked boolean NOT NULL DEFAULT true,
      parked_at timestamptz NOT NULL,
      retries integer NOT NULL DEFAULT 0,
      skipped integer[] NOT NULL DEFAULT '{}',
      degraded boolean NOT NULL GENERATED ALWAYS AS (cardinality(skipped) > 0) STORED,
      UNIQUE (projection, slot, stream_id)
    )`

  // "streams" says how many streams are compared before the rebuilt table is put in place; NULL means all.
  yield* sql`
    CREATE TABLE ordinal.rebuilds (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      projection text COLLATE "C" NOT NULL,
      version integer NOT NULL,
      state text COLLATE "C" NOT NULL CHECK (state IN ('running', 'paused', 'blocked', 'completed', 'aborted')),
      "position" bigint NOT NULL DEFAULT 0,
      target bigint NOT NULL,
      rate float8 NOT NULL DEFAULT 0,
      events_per_second integer,
      streams integer,
      compared integer NOT NULL DEFAULT 0,
      different integer NOT NULL DEFAULT 0,
      problem text,
      started_at timestamptz NOT NULL,
      finished_at timestamptz
    )`
  yield* sql`CREATE UNIQUE INDEX rebuilds_open ON ordinal.rebuilds (projection)
    WHERE state IN ('running', 'paused', 'blocked')`

  // With the status in the index, orders are counted by status for one customer or for all from the index alone.
  yield* sql`DROP INDEX ordinal.order_view_customer`
  yield* sql`CREATE INDEX order_view_customer ON ordinal.order_view (customer_id, placed_at, order_id) INCLUDE (status)`
})
