/**
 * The checkpoint of a projection holds the position of the last event that is applied. It is kept beside the
 * projection's view, in the same database.
 *
 * Invariant: the checkpoint moves only by compare-and-set, in the transaction that writes the view, so whoever loses
 * the race has written nothing, and a view is always exactly the fold of the log up to its checkpoint (but for parked
 * streams). Everything that changes a view first locks the row of its checkpoint.
 *
 * Beside the position is kept the id of the event there, and the position that this id belongs to, since older programs
 * move the position alone. If the log has another event there, it was replaced by an older copy and has grown since.
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError, Statement } from "effect/sql"
import { schemaOf, tableName } from "../database/SchemaName.ts"
import type { RecordedEvent } from "../eventstore/EventStore.ts"
import * as Lease from "./run/Lease.ts"
import { InvalidToken } from "./consistency/ConsistencyToken.ts"
import * as LogPoint from "./LogPoint.ts"
import { type CheckpointKey, type Consumer, isSubscription } from "./Projection.ts"

export interface Checkpoint {
  readonly logId: string
  readonly position: bigint
  /** The log's last position, read together with the checkpoint. */
  readonly head: bigint
  /** So many streams are parked. */
  readonly parked: number
}

/**
 * Another runner moved the checkpoint, paused it or took it over. Nothing is wrong: read it again and go on from there.
 */
export class CheckpointMoved extends Schema.TaggedError<CheckpointMoved>()("CheckpointMoved", {}) {}

/**
 * The projection must not go on as it is: it would skip, repeat or mix up events. An operator has to act on `problem`.
 */
export class ProjectionStopped extends Schema.TaggedError<ProjectionStopped>()("ProjectionStopped", {
  projection: Schema.String,
  problem: Schema.String
}) {
  override get message() {
    return `The projection ${this.projection} stopped: ${this.problem}.`
  }
}

/** The checkpoint does not fit this log or this version, which only a rebuild can put right. */
export const rebuildDemanded = (projection: string, problem: string) =>
  new ProjectionStopped({ projection, problem: `${problem}; rebuild it from the log` })

/** A checkpoint is stored so, whatever version of the projection made it. */
export interface Stored extends Checkpoint {
  readonly version: number
  /** The checkpoint was made for the log of this id. */
  readonly checkpointLogId: string
  /** False if the log's event at the position is known to be another one than the view was made of. */
  readonly isOfHistory: boolean
  readonly paused: boolean
  readonly owner: string | null
  /** Says why the projection stopped. */
  readonly problem: string | null
}

type Key = Pick<CheckpointKey, "name" | "slot">

/**
 * This condition of a checkpoint `c` says that the event at its position is the one that it was moved to, as far as that
 * is known. At position 0 there is no event, so every log has this history. It compares with a scalar subquery, which is
 * always a look-up in the index: PostgreSQL may plan an EXISTS as a hash of the whole log.
 */
export const isOfHistory = `(c."position" = 0 OR c.event_position IS DISTINCT FROM c."position" OR coalesce(
  (SELECT e.event_id FROM ordinal.events e WHERE e."position" = c."position") = c.event_id, false))`

export const stored = (sql: SqlClient.SqlClient, { name, slot }: Key) =>
  sql<Stored>`
    SELECT h.log_id AS "logId", h."position" AS head, c.log_id AS "checkpointLogId", c."position", c.version, c.paused,
      c.parked, c.owner, c.problem, ${sql.literal(isOfHistory)} AS "isOfHistory"
    FROM ordinal.log_head h
    JOIN ordinal.checkpoints c ON c.projection = ${name} AND c.slot = ${slot}`.pipe(Effect.map(([row]) => row))

/** Creates the checkpoint at this point of the log, or else at position 0, unless there is one. */
export const create = (sql: SqlClient.SqlClient, { name, slot, version }: CheckpointKey, at?: LogPoint.LogPoint) =>
  sql`INSERT INTO ordinal.checkpoints (projection, slot, version, log_id, "position", event_position, event_id, updated_at)
    SELECT ${name}, ${slot}, ${version}::integer, h.log_id, ${at?.position ?? 0n}::bigint,
      ${LogPoint.knownPosition(at)}::bigint, ${at?.eventId ?? null}::uuid, clock_timestamp()
    FROM ordinal.log_head h
    ON CONFLICT DO NOTHING`

/** A subscription whose start is refused is stopped. */
export const orStopped = <A, E, R>(projection: string, start: Effect.Effect<A, E | InvalidToken, R>) =>
  Effect.catchIf(
    start,
    (error) => error instanceof InvalidToken,
    ({ message }) => new ProjectionStopped({ projection, problem: `where it starts is refused: ${message}` })
  )

/**
 * Creates a projection's live table and checkpoint together, before it runs for the first time on this log. Many
 * processes may do so at once: the others wait, and find the checkpoint. A table that has rows already is refused,
 * since every event would be applied to them a second time.
 */
export const setUp = Effect.fn("Projection.setUp")(function* (
  sql: SqlClient.SqlClient,
  consumer: Consumer
): Effect.fn.Return<void, ProjectionStopped | SqlError.SqlError> {
  const { name, version } = consumer
  const tables = isSubscription(consumer) ? undefined : consumer.tables
  const key = { name, version, slot: "live" } as const
  yield* Effect.gen(function* () {
    yield* sql`SELECT pg_advisory_xact_lock(hashtextextended(${`${schemaOf(sql)} projection ${name}`}, 0))`
    if ((yield* stored(sql, key)) !== undefined) return
    if (tables !== undefined) {
      yield* tables.create(sql, "live")
      if (!(yield* tables.isEmpty(sql))) {
        const problem = `its table ${tableName(sql, tables.names[0])} has rows already, but no checkpoint says of which events`
        return yield* new ProjectionStopped({ projection: name, problem: `${problem}; drop the table` })
      }
    }
    yield* create(
      sql,
      key,
      isSubscription(consumer) ? yield* orStopped(name, LogPoint.find(sql, consumer.start)) : undefined
    )
  }).pipe(sql.withTransaction)
})

/** Says why a projection can't go on from this checkpoint; undefined if it can. */
export const problemOf = ({
  checkpointLogId,
  head,
  isOfHistory,
  logId,
  position
}: Pick<Stored, "checkpointLogId" | "head" | "isOfHistory" | "logId" | "position">): string | undefined => {
  if (checkpointLogId !== logId) return `its checkpoint is of log ${checkpointLogId}, but this is log ${logId}`
  if (position > head) return `its checkpoint is at position ${position}, but the log ends at ${head}`
  if (isOfHistory) return undefined
  return `the log's event at position ${position}, where its checkpoint is, is another one than the view was made of`
}

/** Says that another version of the projection made the view, so that this version can't go on from it. */
export const otherVersion = (version: number): string => `version ${version} of the projection made its view`

/** Locks the checkpoint until the caller's transaction ends; undefined if there is none. */
export const lock = (sql: SqlClient.SqlClient, { name, slot }: Key) =>
  sql`SELECT FROM ordinal.checkpoints WHERE projection = ${name} AND slot = ${slot} FOR UPDATE`.pipe(
    Effect.andThen(stored(sql, { name, slot }))
  )

/** Fails unless the log has the event that a checkpoint was moved to. */
export const checkHistory = Effect.fnUntraced(function* (
  name: string,
  from: Pick<Checkpoint, "logId">,
  { eventId, position }: Pick<RecordedEvent, "eventId" | "position">,
  log: Pick<Stored, "head" | "isOfHistory" | "logId">
): Effect.fn.Return<void, ProjectionStopped> {
  if (log.logId !== from.logId || log.head < position) {
    const problem = `it was given events up to position ${position}, but the log is ${log.logId} and ends at ${log.head}`
    return yield* rebuildDemanded(name, problem)
  }
  if (log.isOfHistory) return
  const problem = `it was given event ${eventId} at position ${position}, where the log has another one`
  return yield* rebuildDemanded(name, problem)
})

/**
 * Moves the checkpoint from `from.position` to the event `to`, inside the caller's transaction, and renews the owner's
 * lease. The row stays locked until that transaction ends, so of several runners one works, and the others wait and then
 * lose. With `repeatable`, the transaction commits without waiting for the disk: should PostgreSQL crash, checkpoint and
 * rows go back together, and the same events are applied again.
 */
export const advance = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { name, slot, version }: CheckpointKey,
  owner: string,
  from: Pick<Checkpoint, "logId" | "position">,
  to: Pick<RecordedEvent, "eventId" | "position">,
  { repeatable }: { readonly repeatable: boolean }
): Effect.fn.Return<
  { readonly head: bigint; readonly parked: number },
  CheckpointMoved | ProjectionStopped | SqlError.SqlError
> {
  const { eventId, position } = to
  const [moved] = yield* sql<Pick<Stored, "head" | "isOfHistory" | "logId" | "parked">>`
    WITH log AS (SELECT log_id, "position" FROM ordinal.log_head)
    UPDATE ordinal.checkpoints c
    SET "position" = ${position}, event_position = ${position}, event_id = ${eventId}::uuid,
      updated_at = clock_timestamp(), until = ${yield* Lease.until(sql)}, problem = NULL
    FROM log
    WHERE c.projection = ${name} AND c.slot = ${slot} AND c.version = ${version} AND c.owner = ${owner}
      AND c.log_id = ${from.logId} AND c."position" = ${from.position} AND NOT c.paused
    RETURNING log.log_id AS "logId", log."position" AS head, c.parked, ${sql.literal(isOfHistory)} AS "isOfHistory"
      ${repeatable ? sql`, set_config('synchronous_commit', 'off', true)` : sql``}`
  if (moved === undefined) return yield* new CheckpointMoved()
  yield* checkHistory(name, from, to, moved)
  return moved
})

/** Records why the projection was stopped. */
export const stop = (sql: SqlClient.SqlClient, { name, slot, version }: CheckpointKey, problem: string) =>
  sql`UPDATE ordinal.checkpoints SET problem = ${problem}
    WHERE projection = ${name} AND slot = ${slot} AND version = ${version}`

export interface Lag {
  readonly position: bigint
  readonly logId: string
  /** The id of the event at `position`; null if the log has none there, or another one than the view was made of. */
  readonly eventId: string | null
  /** So many events of the log are not applied. */
  readonly behind: number
  /**
   * The age in seconds of the oldest event in the log that is not applied, to the millisecond by the database's clock;
   * 0 if every event is applied.
   */
  readonly lag: number
  /** So many streams are parked. */
  readonly parked: number
}

/**
 * A subquery of one row with the columns of `Lag`, to be read in one statement with the rows whose freshness it tells.
 * The name may be a column of the statement around it.
 */
export const lag = (sql: SqlClient.SqlClient, { name }: { readonly name: string | Statement.Fragment }) =>
  sql`
    SELECT coalesce(c."position", 0) AS "position", coalesce(c.parked, 0) AS parked, h.log_id AS "logId",
      greatest(0, h."position" - coalesce(c."position", 0))::float8 AS behind,
      CASE WHEN c.event_position IS DISTINCT FROM c."position" OR e.event_id = c.event_id THEN e.event_id END AS "eventId",
      CASE WHEN h."position" > coalesce(c."position", 0) THEN coalesce((
        SELECT greatest(0, round(extract(epoch FROM clock_timestamp() - n.recorded_at)::numeric, 3))
        FROM ordinal.events n WHERE n."position" = coalesce(c."position", 0) + 1
      ), 0) ELSE 0 END::float8 AS lag
    FROM ordinal.log_head h
    LEFT JOIN ordinal.checkpoints c ON c.projection = ${name} AND c.slot = 'live'
    LEFT JOIN ordinal.events e ON e."position" = c."position"`
