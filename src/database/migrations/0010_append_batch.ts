/**
 * Adds the append function that takes guards. The one before it stays for processes of older versions; both lock the log's
 * head, so they may run side by side.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { appendBatchFunction } from "../../eventstore/append/AppendBatchFunction.ts"

export const appendBatch = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  yield* sql.unsafe(appendBatchFunction)
  yield* sql`REVOKE ALL ON FUNCTION ordinal.append_batch FROM PUBLIC`
  // Whoever may append by the older function may do so by this one, its owner included.
  yield* sql`DO $body$
    DECLARE grantee text;
    BEGIN
      FOR grantee IN
        SELECT CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END
        FROM pg_proc AS p, aclexplode(p.proacl) AS acl
        WHERE p.pronamespace = 'ordinal'::regnamespace AND p.proname = 'append_entries'
          AND acl.privilege_type = 'EXECUTE'
      LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION ordinal.append_batch TO %s', grantee);
      END LOOP;
    END
    $body$`
})
