/** Adds to each checkpoint the id of the event at its position, by which a log that went back and grew again is noticed. */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"

export const checkpointEvents = Effect.gen(function* () {
  const sql = yield* SqlClient.SqlClient
  // "event_id" is of the event at "event_position". Older programs move "position" alone: then the id is not compared.
  yield* sql`ALTER TABLE ordinal.checkpoints ADD COLUMN event_id uuid, ADD COLUMN event_position bigint`
})
