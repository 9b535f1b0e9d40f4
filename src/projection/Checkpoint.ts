/**
 * The last position a projection has applied, kept beside its view in the same database.
 *
 * Invariant: it moves only by compare-and-set, in the transaction that writes the view, so whoever loses the race has
 * written nothing, and a view is always exactly the fold of the log up to its checkpoint (but for streams set aside).
 * Its row's lock is what everything that changes a view is ordered by.
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import * as Lease from "./run/Lease.ts"
import type { CheckpointKey, ProjectionKey } from "./Projection.ts"

export interface Checkpoint {
  readonly logId: string
  readonly position: bigint
  /** The log's last position, read together with the checkpoint. */
  readonly head: bigint
}

/** Somebody else moved the checkpoint, paused it or took it over. Nothing is wrong: read it and go on from there. */
export class CheckpointMoved extends Schema.TaggedError<CheckpointMoved>()("CheckpointMoved", {}) {}

/** The checkpoint does not belong to this log as it is now: going on would skip or mix up events. */
export class CheckpointRefused extends Schema.TaggedError<CheckpointRefused>()("CheckpointRefused", {
  projection: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `projection ${this.projection} stopped: ${this.problem}; rebuild it from the log`
  }
}

/** A checkpoint as it is stored, whatever its version. */
export interface Stored extends Checkpoint {
  readonly version: number
  /** Of the log it was made for. */
  readonly checkpointLogId: string
  readonly paused: boolean
  readonly parked: number
  readonly owner: string | null
  /** Why it was stopped. */
  readonly problem: string | null
}

export const stored = (sql: SqlClient.SqlClient, { name, slot }: Pick<CheckpointKey, "name" | "slot">) =>
  sql<Stored>`
    SELECT h.log_id AS "logId", h."position" AS head, c.log_id AS "checkpointLogId", c."position", c.version, c.paused,
      c.parked, c.owner, c.problem
    FROM ordinal.log_head h
    JOIN ordinal.checkpoints c ON c.projection = ${name} AND c.slot = ${slot}`.pipe(Effect.map(([row]) => row))

/** Makes it at position 0 of this log, unless there is one. */
export const create = (sql: SqlClient.SqlClient, { name, slot, version }: CheckpointKey) =>
  sql`INSERT INTO ordinal.checkpoints (projection, slot, version, log_id, "position", updated_at)
    SELECT ${name}, ${slot}, ${version}::integer, h.log_id, 0, clock_timestamp() FROM ordinal.log_head h
    ON CONFLICT DO NOTHING`

/** Why it can't be gone on from; undefined if it can. */
export const problemOf = ({
  checkpointLogId,
  head,
  logId,
  position
}: Pick<Stored, "checkpointLogId" | "head" | "logId" | "position">): string | undefined => {
  if (checkpointLogId !== logId) return `its checkpoint is of log ${checkpointLogId}, but this is log ${logId}`
  return position > head ? `its checkpoint is at position ${position}, but the log ends at ${head}` : undefined
}

/** Why a projection of an earlier version, or one that can't be built beside what serves, can't go on from it. */
export const otherVersion = (version: number): string => `its view was made by version ${version} of it`

/** Locks it until the caller's transaction ends; undefined if there is none. */
export const lock = (sql: SqlClient.SqlClient, { name, slot }: Pick<CheckpointKey, "name" | "slot">) =>
  sql`SELECT FROM ordinal.checkpoints WHERE projection = ${name} AND slot = ${slot} FOR UPDATE`.pipe(
    Effect.andThen(stored(sql, { name, slot }))
  )

/**
 * Moves the checkpoint from `from.position` to `to`, inside the caller's transaction, and keeps the owner's lease. The
 * row stays locked until that ends, so of several runners one works and the others wait, then lose.
 */
export const advance = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { name, slot, version }: CheckpointKey,
  owner: string,
  from: Pick<Checkpoint, "logId" | "position">,
  to: bigint
): Effect.fn.Return<
  { readonly head: bigint; readonly parked: number },
  CheckpointMoved | CheckpointRefused | SqlError.SqlError
> {
  const [moved] = yield* sql<{ readonly head: bigint; readonly logId: string; readonly parked: number }>`
    WITH log AS (SELECT log_id, "position" FROM ordinal.log_head)
    UPDATE ordinal.checkpoints c
    SET "position" = ${to}, updated_at = clock_timestamp(), until = ${yield* Lease.until(sql)}, problem = NULL
    FROM log
    WHERE c.projection = ${name} AND c.slot = ${slot} AND c.version = ${version} AND c.owner = ${owner}
      AND c.log_id = ${from.logId} AND c."position" = ${from.position} AND NOT c.paused
    RETURNING log.log_id AS "logId", log."position" AS head, c.parked`
  if (moved === undefined) return yield* new CheckpointMoved()
  if (moved.logId === from.logId && moved.head >= to) return moved
  const problem = `it was given events up to position ${to}, but the log is ${moved.logId} and ends at ${moved.head}`
  return yield* new CheckpointRefused({ projection: name, problem })
})

/** Puts on record why it was stopped. */
export const stop = (sql: SqlClient.SqlClient, { name, slot, version }: CheckpointKey, problem: string) =>
  sql`UPDATE ordinal.checkpoints SET problem = ${problem}
    WHERE projection = ${name} AND slot = ${slot} AND version = ${version}`

export interface Lag {
  readonly position: bigint
  /** Events of the log that are not applied. */
  readonly behind: number
  /** Age of the oldest of them in seconds, by the database's clock; 0 if there is none. */
  readonly lag: number
  /** Streams set aside. */
  readonly parked: number
}

/** A subquery of one row with the columns of `Lag`, to be read in one statement with the rows it speaks of. */
export const lag = (sql: SqlClient.SqlClient, { name }: Pick<ProjectionKey, "name">) =>
  sql`
    SELECT s."position", greatest(0, s.head - s."position")::float8 AS behind, s.parked,
      coalesce((
        SELECT greatest(0, extract(epoch FROM clock_timestamp() - e.recorded_at))
        FROM ordinal.events e WHERE e."position" = s."position" + 1
      ), 0)::float8 AS lag
    FROM (
      SELECT coalesce(c."position", 0) AS "position", coalesce(c.parked, 0) AS parked, h."position" AS head
      FROM ordinal.log_head h
      LEFT JOIN ordinal.checkpoints c ON c.projection = ${name} AND c.slot = 'live'
    ) s`
