/**
 * Reads and writes the rows of rebuilds; each function runs one statement or one transaction. Whatever begins or ends a
 * rebuild holds the lock of the projection's live checkpoint.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError, Statement } from "effect/sql"
import * as Checkpoint from "../Checkpoint.ts"
import { plainRow } from "../PlainRow.ts"
import type { CheckpointKey, Projection } from "../Projection.ts"
import { RebuildRefused } from "../ProjectionErrors.ts"
import { ProjectionLimits } from "../ProjectionLimits.ts"
import * as ProjectionFailure from "../run/ProjectionFailure.ts"
import type { Rebuild, RebuildOptions, RebuildState } from "./Rebuilds.ts"

export interface Row extends Rebuild {
  /** The rebuild applies at most so many events per second; without this, it goes as fast as it can. */
  readonly eventsPerSecond?: number
  /** So many streams are compared; without this, all of them are. */
  readonly streams?: number
}

const isOpen = `r.state IN ('running', 'paused', 'blocked')`

/**
 * Matches a rebuild `a` that an operator aborted: no rebuild for its version starts by itself again, until
 * some rebuild has been put in place.
 */
export const isGivenUp = `a.state = 'aborted' AND NOT EXISTS (
  SELECT FROM ordinal.rebuilds c
  WHERE c.projection = a.projection AND c.state = 'completed' AND c.finished_at > a.finished_at)`

const select = (sql: SqlClient.SqlClient, condition: Statement.Fragment) =>
  sql`SELECT r.id, r.projection, r.version, r.state, 0::bigint AS "from", r."position",
      CASE WHEN r.finished_at IS NULL THEN h."position" ELSE r.target END AS target, r.rate,
      CASE WHEN r.state = 'running' AND r.rate > 0 THEN greatest(0, h."position" - r."position") / r.rate END
        AS "etaSeconds",
      r.events_per_second AS "eventsPerSecond", r.streams, r.compared, r.different, r.problem,
      r.started_at AS "startedAt", r.finished_at AS "finishedAt"
    FROM ordinal.rebuilds r CROSS JOIN ordinal.log_head h
    WHERE ${condition} ORDER BY r.started_at DESC, r.id LIMIT 100`.pipe(Effect.map((rows) => rows.map(plainRow<Row>)))

/** Lists at most 100 rebuilds, the newest first, or only the rebuild with this id if one is given. */
export const list = (sql: SqlClient.SqlClient, id?: string) =>
  select(sql, id === undefined ? sql`true` : sql`r.id::text = ${id}`)

/** Gives the rebuild that is under way; there is at most one. */
export const open = (sql: SqlClient.SqlClient, projection: string) =>
  Effect.map(select(sql, sql`r.projection = ${projection} AND ${sql.literal(isOpen)}`), ([row]) => row)

const liveOf = ({ name }: Projection) => ({ name, slot: "live" }) as const
const shadowOf = ({ name, version }: Projection): CheckpointKey => ({ name, version, slot: "shadow" })

/** Drops what the open rebuild has built, and ends it. */
const discard = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { name, tables }: Projection,
  state: "aborted" | "replaced",
  problem: string | null
) {
  yield* sql`DELETE FROM ordinal.checkpoints WHERE projection = ${name} AND slot = 'shadow'`
  yield* sql`DELETE FROM ordinal.parked_streams WHERE projection = ${name} AND slot = 'shadow'`
  if (tables !== undefined) yield* tables.drop(sql)
  yield* sql`UPDATE ordinal.rebuilds r SET state = ${state}, finished_at = clock_timestamp(),
      problem = coalesce(${problem}::text, CASE WHEN r.state = 'blocked' THEN r.problem END)
    WHERE r.projection = ${name} AND ${sql.literal(isOpen)}`
})

/** Creates the empty shadow table and its checkpoint. Refused if its definition can't stand twice in a database. */
const createShadow = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, projection: Projection) {
  const { name, tables } = projection
  if (tables !== undefined) {
    yield* tables.create(sql, "shadow").pipe(
      Effect.catchCause((cause): Effect.Effect<never, SqlError.SqlError | RebuildRefused> => {
        const isOwn = ProjectionFailure.kind(cause) === "defect" || ProjectionFailure.isDefinition(cause)
        if (!isOwn) return Effect.failCause(cause)
        const problem = `its second table can't be made: ${ProjectionFailure.reasonOf(cause)}`
        return Effect.fail(new RebuildRefused({ projection: name, problem }))
      })
    )
  }
  yield* Checkpoint.create(sql, shadowOf(projection))
})

/**
 * Creates the shadow table and checkpoint of a rebuild unless they exist, since `requestVersion` only records a
 * rebuild.
 */
export const prepare = (sql: SqlClient.SqlClient, projection: Projection, id: string) =>
  Effect.gen(function* () {
    if ((yield* Checkpoint.stored(sql, shadowOf(projection))) !== undefined) return
    yield* Checkpoint.lock(sql, liveOf(projection))
    if ((yield* open(sql, projection.name))?.id === id) yield* createShadow(sql, projection)
  }).pipe(sql.withTransaction)

/** Replaces an open rebuild for another version, and records the new one. */
const begin = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  projection: Projection,
  { compare = 200, eventsPerSecond }: RebuildOptions
) {
  const rate = eventsPerSecond ?? (yield* ProjectionLimits).rebuildRate
  yield* discard(sql, projection, "replaced", `replaced by a rebuild of version ${projection.version}`)
  const [row] = yield* sql<{ readonly id: string }>`
    INSERT INTO ordinal.rebuilds (projection, version, state, target, events_per_second, streams, started_at)
    SELECT ${projection.name}, ${projection.version}::integer, 'running', h."position",
      ${rate === 0 ? null : rate}::integer, ${compare === "all" ? null : compare}::integer, clock_timestamp()
    FROM ordinal.log_head h
    RETURNING id`
  return row!.id
})

/** Starts a rebuild and gives its id; refused if one is under way. */
export const request = (sql: SqlClient.SqlClient, projection: Projection, options: RebuildOptions) =>
  Effect.gen(function* () {
    const { name } = projection
    yield* Checkpoint.setUp(sql, projection)
    yield* Checkpoint.lock(sql, liveOf(projection))
    const underWay = yield* open(sql, name)
    if (underWay !== undefined) {
      const { id } = underWay
      const problem = `rebuild ${id} is under way; wait for it or abort it`
      return yield* new RebuildRefused({ projection: name, id, problem })
    }
    const id = yield* begin(sql, projection, options)
    yield* createShadow(sql, projection)
    return id
  }).pipe(
    sql.withTransaction,
    Effect.catchTag("ProjectionStopped", ({ problem }) => new RebuildRefused({ projection: projection.name, problem }))
  )

/**
 * Starts a rebuild for this version where an older version made the view; true if it did. It does not where a rebuild
 * for this version or a newer one is under way, or was aborted. An open rebuild for an older version gives way.
 */
export const requestVersion = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, projection: Projection) {
  const { name, version } = projection

  const isDue = Effect.fnUntraced(function* (stored: Checkpoint.Stored | undefined) {
    if (stored === undefined || stored.version >= version) return false
    const underWay = yield* open(sql, name)
    if (underWay !== undefined && underWay.version >= version) return false
    const [aborted] = yield* sql`SELECT FROM ordinal.rebuilds a
      WHERE a.projection = ${name} AND a.version = ${version} AND ${sql.literal(isGivenUp)}`
    return aborted === undefined
  })

  // Most looks find nothing to do, and must not wait for the runner of the older version, or keep it waiting.
  if (!(yield* isDue(yield* Checkpoint.stored(sql, liveOf(projection))))) return false
  return yield* Effect.gen(function* () {
    if (!(yield* isDue(yield* Checkpoint.lock(sql, liveOf(projection))))) return false
    yield* begin(sql, projection, {})
    return true
  }).pipe(sql.withTransaction)
})

/** Aborts a rebuild; false if it has ended. */
export const abort = (sql: SqlClient.SqlClient, projection: Projection, id: string) =>
  Effect.gen(function* () {
    yield* Checkpoint.lock(sql, liveOf(projection))
    if ((yield* open(sql, projection.name))?.id !== id) return false
    yield* discard(sql, projection, "aborted", null)
    return true
  }).pipe(sql.withTransaction)

/** Pauses, resumes or blocks a rebuild that is under way; false if it has ended. */
export const setState = (sql: SqlClient.SqlClient, id: string, state: RebuildState, problem: string | null = null) =>
  sql<{ readonly id: string }>`
    WITH changed AS (
      UPDATE ordinal.rebuilds r SET state = ${state}, problem = ${problem}::text, rate = 0
      WHERE r.id::text = ${id} AND ${sql.literal(isOpen)}
      RETURNING r.id, r.projection, r.version
    ), checkpoint AS (
      UPDATE ordinal.checkpoints c SET paused = ${state !== "running"}::boolean
      FROM changed r WHERE c.projection = r.projection AND c.slot = 'shadow' AND c.version = r.version
    )
    SELECT id FROM changed`.pipe(Effect.map((rows) => rows.length > 0))

/** Records how far a rebuild is, at how many events per second, and while it runs what it has to wait for. */
export const recordProgress = (
  sql: SqlClient.SqlClient,
  id: string,
  position: bigint,
  rate: number,
  waitsFor: string | null
) =>
  sql`UPDATE ordinal.rebuilds SET "position" = ${position}, rate = ${rate},
      problem = CASE WHEN state = 'running' THEN ${waitsFor}::text ELSE problem END
    WHERE id = ${id}`

/** Records how many rows were compared with the log, and how many of them differed. */
export const recordComparison = (sql: SqlClient.SqlClient, id: string, compared: number, different: number) =>
  sql`UPDATE ordinal.rebuilds SET compared = ${compared}, different = ${different} WHERE id = ${id}`

/** Records that the rebuilt table serves from this position on. */
export const complete = (sql: SqlClient.SqlClient, id: string, position: bigint) =>
  sql`UPDATE ordinal.rebuilds SET state = 'completed', "position" = ${position}, target = ${position}, problem = NULL,
      finished_at = clock_timestamp()
    WHERE id = ${id}`
