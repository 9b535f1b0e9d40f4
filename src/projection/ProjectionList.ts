/** What the database says of the projections, in one statement, together with what this process knows. */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import * as Checkpoint from "./Checkpoint.ts"
import type { Projection } from "./Projection.ts"
import type { ProjectionProgress } from "./ProjectionProgress.ts"
import type { ProjectionInfo } from "./Projections.ts"
import type { ProjectionStatus } from "./ProjectionStatus.ts"

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
  readonly lag: number
}

const near = 100n

const select = (sql: SqlClient.SqlClient, names: ReadonlyArray<string>) =>
  sql<Row>`
    SELECT asked.name, h."position" AS head, h.log_id AS "logId", c.log_id AS "checkpointLogId", c.version, c."position",
      c.updated_at AS "updatedAt", c.paused, c.parked, c.problem, r.id::text AS "rebuildId",
      coalesce((
        SELECT greatest(0, extract(epoch FROM clock_timestamp() - e.recorded_at))
        FROM ordinal.events e WHERE e."position" = coalesce(c."position", 0) + 1
      ), 0)::float8 AS lag
    FROM unnest(${names}::text[]) AS asked (name)
    CROSS JOIN ordinal.log_head h
    LEFT JOIN ordinal.checkpoints c ON c.projection = asked.name AND c.slot = 'live'
    LEFT JOIN ordinal.rebuilds r ON r.projection = asked.name AND r.state IN ('running', 'paused', 'blocked')
    ORDER BY asked.name`

/** Why it can't go on: as it is on record, or as whoever runs it will find out. */
const problemOf = (row: Row, own: Projection): string | undefined => {
  const { checkpointLogId, head, logId, name, position, version } = row
  if (row.problem !== null) return row.problem
  if (checkpointLogId === null || position === null || version === null) return undefined
  const problem =
    Checkpoint.problemOf({ checkpointLogId, head, logId, position }) ??
    (version > own.version ? Checkpoint.otherVersion(version) : undefined)
  return problem === undefined ? undefined : new Checkpoint.CheckpointRefused({ projection: name, problem }).message
}

/** Only the process that runs it knows of trouble; what anybody can see is in the row. */
const statusOf = (row: Row, own: Projection, local: ProjectionStatus | undefined): ProjectionStatus => {
  const { head, paused, position, rebuildId } = row
  if (rebuildId !== null) return "rebuilding"
  if (position === null) return "starting"
  if (problemOf(row, own) !== undefined) return "stopped"
  if (paused === true) return "paused"
  if (local === "retrying" || local === "starting" || local === "stopped") return local
  return head - position <= near || local === "live" ? "live" : "catching-up"
}

const toInfo = (row: Row, own: Projection, local: ProjectionStatus | undefined): ProjectionInfo => {
  const position = row.position ?? 0n
  const problem = problemOf(row, own)
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
  for (const row of yield* select(sql, [...projections.keys()])) {
    const projection = projections.get(row.name)
    if (projection !== undefined) infos.push(toInfo(row, projection, yield* progress.status(projection)))
  }
  return infos
})
