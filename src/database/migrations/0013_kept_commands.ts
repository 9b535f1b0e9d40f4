/**
 * Lets a keyed command be kept longer than others: until the time that its receipt has as `keepUntil`, in seconds since
 * 1970. Older programs, which know nothing of it, can't delete it before.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export const keptCommands = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient

  // Those to be forgotten next are found without passing by all that are kept.
  yield* sql`CREATE INDEX commands_forgotten ON ordinal.commands (recorded_at) WHERE receipt -> 'keepUntil' IS NULL`
  yield* sql`CREATE INDEX commands_kept ON ordinal.commands (((receipt ->> 'keepUntil')::bigint))
    WHERE receipt -> 'keepUntil' IS NOT NULL`

  yield* sql`
    CREATE FUNCTION ordinal.keep_command() RETURNS trigger LANGUAGE plpgsql AS $body$
    BEGIN
      RETURN NULL;
    END
    $body$`
  yield* sql`
    CREATE TRIGGER commands_are_kept BEFORE DELETE ON ordinal.commands FOR EACH ROW
    WHEN ((OLD.receipt ->> 'keepUntil')::bigint > extract(epoch FROM clock_timestamp()))
    EXECUTE FUNCTION ordinal.keep_command()`
})
