/** Rebuilds on record, one statement or transaction per function. */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import * as Checkpoint from "../Checkpoint.ts"
import type { CheckpointKey, Projection } from "../Projection.ts"

import { RebuildRefused } from "../ProjectionErrors.ts"
import * as ProjectionFailure from "../run/ProjectionFailure.ts"
import { ProjectionLimits } from "../ProjectionLimits.ts"
import type { ProjectionBroken } from "../run/ProjectionBroken.ts"
import * as ProjectionSetup from "../ProjectionSetup.ts"
import type { RebuildOptions } from "../Projections.ts"
import type { RebuildState } from "./RebuildState.ts"

export interface Row {
  readonly id: string
  readonly projection: string
  readonly version: number
  readonly state: RebuildState
  readonly position: bigint
  readonly target: bigint
  readonly rate: number
  readonly eventsPerSecond: number | null
  /** How many are compared; null = all. */
  readonly streams: number | null
  readonly compared: number
  readonly different: number
  readonly problem: string | null
  readonly startedAt: Date
  readonly finishedAt: Date | null
}

/** While it is under way its target is the log's head. */
const columns = `r.id, r.projection, r.version, r.state, r."position", r.rate, r.events_per_second AS "eventsPerSecond",
  r.streams, r.compared, r.different, r.problem, r.started_at AS "startedAt", r.finished_at AS "finishedAt",
  CASE WHEN r.finished_at IS NULL THEN h."position" ELSE r.target END AS target`

/**
 * Of a rebuild `a` that an operator ended: none of its version starts by itself again, until some rebuild was put in
 * place.
 */
export const isGivenUp = `a.state = 'aborted' AND NOT EXISTS (
  SELECT FROM ordinal.rebuilds c
  WHERE c.projection = a.projection AND c.state = 'completed' AND c.finished_at > a.finished_at)`

const isOpen = `r.state IN ('running', 'paused', 'blocked')`

export const list = (sql: SqlClient.SqlClient, id?: string) =>
  sql<Row>`SELECT ${sql.literal(columns)} FROM ordinal.rebuilds r CROSS JOIN ordinal.log_head h
    WHERE ${id === undefined ? sql`true` : sql`r.id::text = ${id}`}
    ORDER BY r.started_at DESC, r.id LIMIT 100`

/** The one under way. */
export const open = (sql: SqlClient.SqlClient, projection: string) =>
  sql<Row>`SELECT ${sql.literal(columns)} FROM ordinal.rebuilds r CROSS JOIN ordinal.log_head h
    WHERE r.projection = ${projection} AND ${sql.literal(isOpen)}
    ORDER BY r.started_at`.pipe(Effect.map(([row]) => row))

const shadowOf = ({ name, version }: Projection): CheckpointKey => ({ name, version, slot: "shadow" })

/** Does away with what it has built. In a transaction that holds the live checkpoint's lock. */
const discard = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  projection: Projection,
  ended: { readonly state: "aborted" | "replaced"; readonly problem?: string }
) {
  const { name } = projection
  yield* sql`DELETE FROM ordinal.checkpoints WHERE projection = ${name} AND slot = 'shadow'`
  yield* sql`DELETE FROM ordinal.parked_streams WHERE projection = ${name} AND slot = 'shadow'`
  if (projection.tables !== undefined) yield* projection.tables.drop(sql)
  yield* sql`UPDATE ordinal.rebuilds r SET state = ${ended.state}, finished_at = clock_timestamp(),
      problem = coalesce(${ended.problem ?? null}::text, CASE WHEN r.state = 'blocked' THEN r.problem END)
    WHERE r.projection = ${name} AND ${sql.literal(isOpen)}`
})

/** Makes its empty table, and the checkpoint of that. A definition that can't be had twice is refused. */
const makeShadow = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, projection: Projection) {
  const { name, tables } = projection
  if (tables !== undefined) {
    yield* tables.create(sql, "shadow").pipe(
      Effect.catchCause((cause): Effect.Effect<never, SqlError.SqlError | RebuildRefused> => {
        if (ProjectionFailure.kind(cause) !== "defect") return Effect.failCause(cause)
        const problem = `its second table can't be made: ${ProjectionFailure.reasonOf(cause)}`
        return Effect.fail(new RebuildRefused({ projection: name, problem }))
      })
    )
  }
  yield* Checkpoint.create(sql, shadowOf(projection))
})

/** Makes what it is built in, unless it is there: one that a new version asked for has nothing yet. */
export const prepare = (sql: SqlClient.SqlClient, projection: Projection, id: string) =>
  Effect.gen(function* () {
    const { name } = projection
    if ((yield* Checkpoint.stored(sql, { name, slot: "shadow" })) !== undefined) return
    yield* Checkpoint.lock(sql, { name, slot: "live" })
    if ((yield* open(sql, name))?.id === id) yield* makeShadow(sql, projection)
  }).pipe(sql.withTransaction)

const begin = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  projection: Projection,
  { compare = 200, eventsPerSecond }: RebuildOptions
) {
  const rate = eventsPerSecond ?? (yield* ProjectionLimits).rebuildRate
  yield* discard(sql, projection, {
    state: "replaced",
    problem: `replaced by a rebuild of version ${projection.version}`
  })
  const [row] = yield* sql<{ readonly id: string }>`
    INSERT INTO ordinal.rebuilds (projection, version, state, target, events_per_second, streams, started_at)
    SELECT ${projection.name}, ${projection.version}::integer, 'running', h."position",
      ${rate === 0 ? null : rate}::integer, ${compare === "all" ? null : compare}::integer, clock_timestamp()
    FROM ordinal.log_head h
    RETURNING id`
  return row!.id
})

/** Starts one, unless one is under way, whose id it then gives. */
export const request = (
  sql: SqlClient.SqlClient,
  projection: Projection,
  options: RebuildOptions
): Effect.Effect<
  { readonly id: string; readonly isNew: boolean },
  SqlError.SqlError | ProjectionBroken | RebuildRefused
> =>
  Effect.gen(function* () {
    yield* ProjectionSetup.run(sql, projection)
    yield* Checkpoint.lock(sql, { name: projection.name, slot: "live" })
    const underWay = yield* open(sql, projection.name)
    if (underWay !== undefined) return { id: underWay.id, isNew: false }
    const id = yield* begin(sql, projection, options)
    yield* makeShadow(sql, projection)
    return { id, isNew: true }
  }).pipe(sql.withTransaction)

/**
 * Starts one for this version, unless there is one or there was and it was given up; one for an older version gives way.
 * Whether it did.
 */
export const requestVersion = (sql: SqlClient.SqlClient, projection: Projection) =>
  Effect.gen(function* () {
    const stored = yield* Checkpoint.lock(sql, { name: projection.name, slot: "live" })
    const underWay = yield* open(sql, projection.name)
    if (stored === undefined || stored.version >= projection.version) return false
    if (underWay !== undefined && underWay.version >= projection.version) return false
    const [aborted] = yield* sql`SELECT FROM ordinal.rebuilds a
      WHERE a.projection = ${projection.name} AND a.version = ${projection.version} AND ${sql.literal(isGivenUp)}`
    if (aborted !== undefined) return false
    yield* begin(sql, projection, {})
    return true
  }).pipe(sql.withTransaction)

export const abort = (sql: SqlClient.SqlClient, projection: Projection, id: string) =>
  Effect.gen(function* () {
    yield* Checkpoint.lock(sql, { name: projection.name, slot: "live" })
    if ((yield* open(sql, projection.name))?.id !== id) return false
    yield* discard(sql, projection, { state: "aborted" })
    return true
  }).pipe(sql.withTransaction)

/** Pauses it, lets it go on, or puts on record why it can't be put in place; whether it was under way. */
export const becomes = (sql: SqlClient.SqlClient, id: string, state: RebuildState, problem: string | null = null) =>
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

/** `waitsFor`: what it would go on without, in a sentence, if it runs. */
export const progress = (
  sql: SqlClient.SqlClient,
  id: string,
  position: bigint,
  rate: number,
  waitsFor: string | undefined
) =>
  sql`UPDATE ordinal.rebuilds SET "position" = ${position}, rate = ${rate},
      problem = CASE WHEN state = 'running' THEN ${waitsFor ?? null}::text ELSE problem END
    WHERE id = ${id}`

export const compared = (sql: SqlClient.SqlClient, id: string, compared: number, different: number) =>
  sql`UPDATE ordinal.rebuilds SET compared = ${compared}, different = ${different} WHERE id = ${id}`

export const complete = (sql: SqlClient.SqlClient, id: string, position: bigint) =>
  sql`UPDATE ordinal.rebuilds SET state = 'completed', "position" = ${position}, target = ${position}, problem = NULL,
      finished_at = clock_timestamp()
    WHERE id = ${id}`
