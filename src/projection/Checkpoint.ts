/**
 * The last position a projection has applied, kept beside its view in the same database.
 *
 * Invariant: it moves only by compare-and-set, in the transaction that writes the view, so whoever loses the race has
 * written nothing, and a view is always exactly the fold of the log up to its checkpoint.
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { ProjectionKey } from "./Projection.ts"

export interface Checkpoint {
  readonly logId: string
  readonly position: bigint
  /** The log's last position, read together with the checkpoint. */
  readonly head: bigint
}

/** Somebody else moved the checkpoint first. Nothing is wrong: read it and go on from there. */
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

interface LoadedRow {
  readonly logId: string
  readonly head: bigint
  readonly checkpointLogId: string | null
  readonly position: bigint | null
  readonly otherVersion: number | null
}

const read = (sql: SqlClient.SqlClient, { name, version }: ProjectionKey) =>
  sql<LoadedRow>`
    SELECT h.log_id AS "logId", h."position" AS head, c.log_id AS "checkpointLogId", c."position" AS "position",
      (SELECT max(o.version) FROM ordinal.checkpoints o WHERE o.projection = ${name} AND o.version <> ${version})
        AS "otherVersion"
    FROM ordinal.log_head h
    LEFT JOIN ordinal.checkpoints c ON c.projection = ${name} AND c.version = ${version}`.pipe(
    Effect.flatMap(([row]) => (row === undefined ? Effect.die(new Error("the log has no head")) : Effect.succeed(row)))
  )

const create = (sql: SqlClient.SqlClient, { name, version }: ProjectionKey) =>
  sql`INSERT INTO ordinal.checkpoints (projection, version, log_id, "position", updated_at)
    SELECT ${name}, ${version}::integer, h.log_id, 0, clock_timestamp() FROM ordinal.log_head h
    ON CONFLICT DO NOTHING`

const problemOf = ({ checkpointLogId, position, logId, head, otherVersion }: LoadedRow): string | undefined => {
  if (checkpointLogId === null || position === null) {
    return otherVersion === null ? undefined : `its view was made by version ${otherVersion} of it`
  }
  if (checkpointLogId !== logId) return `its checkpoint is of log ${checkpointLogId}, but this is log ${logId}`
  return position > head ? `its checkpoint is at position ${position}, but the log ends at ${head}` : undefined
}

/** The committed checkpoint, made at position 0 if there is none. */
export const load = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, projection: ProjectionKey) {
  const load = read(sql, projection)
  const first = yield* load
  const problem = problemOf(first)
  if (problem !== undefined) return yield* new CheckpointRefused({ projection: projection.name, problem })
  if (first.position !== null) return { logId: first.logId, head: first.head, position: first.position }
  yield* create(sql, projection)
  const { logId, head, position } = yield* load
  return { logId, head, position: position ?? 0n }
})

/**
 * Moves the checkpoint from `from.position` to `to`, inside the caller's transaction; the log's head as of now. The row
 * stays locked until that ends, so of several runners one works and the others wait, then lose.
 */
export const advance = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { name, version }: ProjectionKey,
  from: Pick<Checkpoint, "logId" | "position">,
  to: bigint
): Effect.fn.Return<bigint, CheckpointMoved | CheckpointRefused | SqlError.SqlError> {
  const [moved] = yield* sql<{ readonly head: bigint; readonly logId: string }>`
    WITH log AS (SELECT log_id, "position" FROM ordinal.log_head)
    UPDATE ordinal.checkpoints c SET "position" = ${to}, updated_at = clock_timestamp()
    FROM log
    WHERE c.projection = ${name} AND c.version = ${version} AND c.log_id = ${from.logId} AND c."position" = ${from.position}
    RETURNING log.log_id AS "logId", log."position" AS head`
  if (moved === undefined) return yield* new CheckpointMoved()
  if (moved.logId === from.logId && moved.head >= to) return moved.head
  const problem = `it was given events up to position ${to}, but the log is ${moved.logId} and ends at ${moved.head}`
  return yield* new CheckpointRefused({ projection: name, problem })
})

/** The committed position; undefined if the projection never ran. */
export const position = (sql: SqlClient.SqlClient, { name, version }: ProjectionKey) =>
  sql<{ readonly position: bigint }>`SELECT c."position" AS "position" FROM ordinal.checkpoints c
    WHERE c.projection = ${name} AND c.version = ${version}`.pipe(Effect.map(([row]) => row?.position))

export interface Lag {
  readonly position: bigint
  /** Events of the log that are not applied. */
  readonly behind: number
  /** Age of the oldest of them in seconds, by the database's clock; 0 if there is none. */
  readonly lag: number
}

/** A subquery of one row with the columns of `Lag`, to be read in one statement with the rows it speaks of. */
export const lag = (sql: SqlClient.SqlClient, { name, version }: ProjectionKey) =>
  sql`
    SELECT s."position", greatest(0, s.head - s."position")::float8 AS behind,
      coalesce((
        SELECT greatest(0, extract(epoch FROM clock_timestamp() - e.recorded_at))
        FROM ordinal.events e WHERE e."position" = s."position" + 1
      ), 0)::float8 AS lag
    FROM (
      SELECT coalesce(c."position", 0) AS "position", h."position" AS head
      FROM ordinal.log_head h
      LEFT JOIN ordinal.checkpoints c ON c.projection = ${name} AND c.version = ${version}
    ) s`
