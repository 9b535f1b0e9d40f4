/**
 * Adds functions for what a process for commands changes besides appending: it forgets keys whose time is over, and keeps
 * snapshots. So its role needs no right to the tables themselves; older programs go on with theirs.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export const changesByFunction = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  yield* sql`
    CREATE FUNCTION ordinal.forget_commands(age interval, most integer) RETURNS integer
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
      WITH forgotten AS (
        DELETE FROM ordinal.commands WHERE command_id IN (
          (SELECT command_id FROM ordinal.commands
          WHERE receipt -> 'keepUntil' IS NULL AND recorded_at < clock_timestamp() - age
          ORDER BY recorded_at LIMIT most)
          UNION ALL
          (SELECT command_id FROM ordinal.commands
          WHERE receipt -> 'keepUntil' IS NOT NULL
            AND (receipt ->> 'keepUntil')::bigint < extract(epoch FROM clock_timestamp())::bigint
            AND recorded_at < clock_timestamp() - age
          ORDER BY (receipt ->> 'keepUntil')::bigint LIMIT most)
          LIMIT most
        ) RETURNING 1
      ) SELECT count(*)::integer FROM forgotten
    $body$`
  yield* sql`
    CREATE FUNCTION ordinal.keep_snapshot(
      stream text, at_version integer, at_position bigint, at_time timestamptz, made_by text, saved json
    ) RETURNS void
    LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
      INSERT INTO ordinal.snapshots AS s (stream_id, version, "position", recorded_at, fingerprint, state)
      VALUES (stream, at_version, at_position, at_time, made_by, saved)
      ON CONFLICT (stream_id) DO UPDATE SET
        version = excluded.version, "position" = excluded."position", recorded_at = excluded.recorded_at,
        fingerprint = excluded.fingerprint, state = excluded.state
      WHERE s.version < excluded.version OR (s.version = excluded.version AND s.fingerprint <> excluded.fingerprint)
    $body$`
  yield* sql`REVOKE ALL ON FUNCTION ordinal.forget_commands, ordinal.keep_snapshot FROM PUBLIC`
  // Whoever may append may do so.
  yield* sql`DO $body$
    DECLARE grantee text;
    BEGIN
      FOR grantee IN
        SELECT CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END
        FROM pg_proc AS p, aclexplode(p.proacl) AS acl
        WHERE p.pronamespace = 'ordinal'::regnamespace AND p.proname = 'append_batch'
          AND acl.privilege_type = 'EXECUTE'
      LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION ordinal.forget_commands, ordinal.keep_snapshot TO %s', grantee);
      END LOOP;
    END
    $body$`
})
