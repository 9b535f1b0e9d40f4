/**
 * Who runs a projection: one process at a time, by the database's clock, kept in the checkpoint's row. It is renewed
 * with each commit and three times in its term (3 s by default); after the last time's term anybody may take it over.
 *
 * It only saves work. What keeps two runners from doing harm is the compare-and-set on the checkpoint.
 */
import { Duration, Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { CheckpointKey } from "../Projection.ts"
import { ProjectionLimits } from "../ProjectionLimits.ts"

/** When a lease that is taken or renewed now ends: an expression. */
export const until = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const { lease } = yield* ProjectionLimits
  return sql`clock_timestamp() + ${Duration.toMillis(lease)}::float8 * interval '1 millisecond'`
})

/** Between two renewals. */
export const renewal = Effect.map(ProjectionLimits, ({ lease }) => Duration.divideUnsafe(lease, 3))

/** A row that is being written at this moment is left alone: its writer renews the lease itself. */
const unlocked = (sql: SqlClient.SqlClient, { name, slot, version }: CheckpointKey) =>
  sql`SELECT o.projection, o.slot FROM ordinal.checkpoints o
    WHERE o.projection = ${name} AND o.slot = ${slot} AND o.version = ${version} FOR UPDATE SKIP LOCKED`

/** Takes it or renews it; whether it is ours. `alone`: no other process can have it, whatever the row says. */
export const take = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  key: CheckpointKey,
  owner: string,
  alone: boolean
) {
  const rows = yield* sql`
    UPDATE ordinal.checkpoints c SET owner = ${owner}, until = ${yield* until(sql)}
    FROM (${unlocked(sql, key)}) o
    WHERE c.projection = o.projection AND c.slot = o.slot
      AND (${alone}::boolean OR c.owner IS NULL OR c.owner = ${owner} OR c.until < clock_timestamp())
    RETURNING c.owner`
  return rows.length > 0
})

/** Gives it back, so that nobody has to wait for its end. */
export const release = (sql: SqlClient.SqlClient, { name, slot }: CheckpointKey, owner: string) =>
  sql`UPDATE ordinal.checkpoints SET owner = NULL, until = NULL
    WHERE projection = ${name} AND slot = ${slot} AND owner = ${owner}`
