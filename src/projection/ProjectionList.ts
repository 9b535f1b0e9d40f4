/** What the database says of the projections, in one statement, together with what this process knows. */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import * as Checkpoint from "./Checkpoint.ts"
import type { Projection } from "./Projection.ts"
import type { ProjectionProgress } from "./consistency/ProjectionProgress.ts"
import type { ProjectionInfo } from "./Projections.ts"
import * as RebuildRecord from "./rebuild/RebuildRecord.ts"
import type { ProjectionStatus } from "./consistency/ProjectionProgress.ts"

interface Row {
  readonly name: string
  readonly head: bigint
  readonly logId: string
  readonly checkpointLogId: string | null
  readonly version: number | null
  readonly position: bigint | null
  readonly updatedAt: Date | null
  readonly paused: boolean | null
  readonly parked: number | null
  readonly problem: string | null
  readonly rebuildId: string | null
  readonly rebuildProblem: string | null
  readonly isBlocked: boolean
  /** The rebuild for the version of the projection was aborted. */
  readonly isGivenUp: boolean
  readonly lag: number
}

const near = 100n

const select = (sql: SqlClient.SqlClient, projections: ReadonlyArray<Projection>) =>
  sql<Row>`
    SELECT asked.name, h."position" AS head, h.log_id AS "logId", c.log_id AS "checkpointLogId", c.version, c."position",
      c.updated_at AS "updatedAt", c.paused, c.parked, c.problem, r.id::text AS "rebuildId", r.problem AS "rebuildProblem",
      r.state IS NOT DISTINCT FROM 'blocked' AS "isBlocked",
      EXISTS (
        SELECT FROM ordinal.rebuilds a
        WHERE a.projection = asked.name AND a.version = asked.version AND ${sql.literal(RebuildRecord.isGivenUp)}
      ) AS "isGivenUp",
      coalesce((
        SELECT greatest(0, extract(epoch FROM clock_timestamp() - e.recorded_at))
        FROM ordinal.events e WHERE e."position" = coalesce(c."position", 0) + 1
      ), 0)::float8 AS lag
    FROM unnest(
      ${projections.map(({ name }) => name)}::text[], ${projections.map(({ version }) => version)}::integer[]
    ) AS asked (name, version)
    CROSS JOIN ordinal.log_head h
    LEFT JOIN ordinal.checkpoints c ON c.projection = asked.name AND c.slot = 'live'
    LEFT JOIN ordinal.rebuilds r ON r.projection = asked.name AND r.state IN ('running', 'paused', 'blocked')
    ORDER BY asked.name`

/** Why it can't go on: as it is on record, or as whoever runs it will find out. */
const problemOf = (row: Row, own: Projection): string | undefined => {
  const { checkpointLogId, head, isGivenUp, logId, name, position, rebuildId, version } = row
  if (row.problem !== null) return row.problem
  if (checkpointLogId === null || position === null || version === null) return undefined
  const problem =
    Checkpoint.problemOf({ checkpointLogId, head, logId, position }) ??
    (version > own.version ? Checkpoint.otherVersion(version) : undefined)
  if (problem !== undefined) return new Checkpoint.CheckpointRefused({ projection: name, problem }).message
  if (version >= own.version) return undefined
  if (row.isBlocked && row.rebuildProblem !== null) return row.rebuildProblem
  return rebuildId === null && isGivenUp
    ? `the view is of version ${version}, and the rebuild that makes it one of version ${own.version} was aborted; ` +
        `rebuild it (POST /admin/projections/${name}/rebuild) to have version ${own.version}`
    : undefined
}

/** Only the process that runs it knows of trouble; what anybody can see is in the row. */
const statusOf = (row: Row, own: Projection, local: ProjectionStatus | undefined): ProjectionStatus => {
  const { head, paused, position, rebuildId, version } = row
  if (position === null) return "starting"
  if (problemOf(row, own) !== undefined) return "stopped"
  if (paused === true) return "paused"
  const isWrong = local === "retrying" || local === "stopped"
  if (rebuildId !== null && (!isWrong || version !== own.version)) return "rebuilding"
  if (local === "retrying" || local === "starting" || local === "stopped") return local
  return head - position <= near || local === "live" ? "live" : "catching-up"
}

const toInfo = (row: Row, own: Projection, local: ProjectionStatus | undefined): ProjectionInfo => {
  const position = row.position ?? 0n
  const problem = problemOf(row, own) ?? row.rebuildProblem ?? undefined
  return {
    name: row.name,
    version: row.version ?? own.version,
    status: statusOf(row, own, local),
    position,
    head: row.head,
    behind: row.head > position ? Number(row.head - position) : 0,
    lag: row.lag,
    ...(row.updatedAt === null ? {} : { updatedAt: row.updatedAt.toISOString() }),
    parked: row.parked ?? 0,
    ...(problem === undefined ? {} : { problem }),
    ...(row.rebuildId === null ? {} : { rebuildId: row.rebuildId })
  }
}

export const read = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  progress: ProjectionProgress["Service"],
  projections: ReadonlyMap<string, Projection>
) {
  const infos: Array<ProjectionInfo> = []
  for (const row of yield* select(sql, [...projections.values()])) {
    const projection = projections.get(row.name)
    if (projection !== undefined) infos.push(toInfo(row, projection, yield* progress.status(projection)))
  }
  return infos
})
