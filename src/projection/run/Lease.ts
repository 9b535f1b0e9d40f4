/**
 * The lease of a projection, which is kept in the row of its checkpoint, lets one process at a time run the projection;
 * the database's clock decides when the lease is over. The process renews its lease with each commit and three times in
 * the lease's term (3 s by default); once the term is over, any other process may take the lease.
 *
 * The lease only saves work. The compare-and-set on the checkpoint is what keeps two runners from doing harm.
 */
import { Duration, Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { CheckpointKey } from "../Projection.ts"
import { ProjectionLimits } from "../ProjectionLimits.ts"

/** Makes a SQL expression for the time when a lease that is taken or renewed now ends. */
export const until = Effect.fnUntraced(function* (sql: SqlClient.SqlClient) {
  const { lease } = yield* ProjectionLimits
  return sql`clock_timestamp() + ${Duration.toMillis(lease)}::float8 * interval '1 millisecond'`
})

/** Gives the pause between two renewals. */
export const renewal = Effect.map(ProjectionLimits, ({ lease }) => Duration.divideUnsafe(lease, 3))

/** Leaves a row alone that is being written at this moment: its writer renews the lease itself. */
const unlocked = (sql: SqlClient.SqlClient, { name, slot, version }: CheckpointKey) =>
  sql`SELECT o.projection, o.slot FROM ordinal.checkpoints o
    WHERE o.projection = ${name} AND o.slot = ${slot} AND o.version = ${version} FOR UPDATE SKIP LOCKED`

/**
 * Takes or renews the lease; true if it is ours. `alone` means that no other process can have it, whatever the row
 * says.
 */
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

/** Gives the lease back, so that nobody has to wait for its end. */
export const release = (sql: SqlClient.SqlClient, { name, slot }: CheckpointKey, owner: string) =>
  sql`UPDATE ordinal.checkpoints SET owner = NULL, until = NULL
    WHERE projection = ${name} AND slot = ${slot} AND owner = ${owner}`
