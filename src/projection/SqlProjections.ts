/**
 * Implements `Projections` in SQL: one statement tells how all of them are, together with what the runners of this
 * process know.
 */
import { Effect, Layer, Struct } from "effect"
import type { SqlClient } from "effect/sql"
import { Database } from "../database/Database.ts"
import { changeOrUnavailable, changeWithinSeconds, orUnavailable, withinSeconds } from "../database/SqlFailure.ts"
import { EventStore } from "../eventstore/EventStore.ts"
import * as Checkpoint from "./Checkpoint.ts"
import * as ConsistencyToken from "./consistency/ConsistencyToken.ts"
import * as TokenWait from "./consistency/TokenWait.ts"
import { ProjectionProgress, type ProjectionStatus } from "./consistency/ProjectionProgress.ts"
import * as ParkedRows from "./parking/ParkedRows.ts"
import { plainRow } from "./PlainRow.ts"
import { findProjection, type Projection } from "./Projection.ts"
import { type ProjectionInfo, Projections } from "./Projections.ts"
import * as RebuildRows from "./rebuild/RebuildRows.ts"

/** Absent columns are NULL: there is no checkpoint, no rebuild, or no problem. */
interface Row extends Omit<ProjectionInfo, "status" | "version"> {
  readonly version?: number
  readonly logId: string
  readonly checkpointLogId?: string
  readonly isOfHistory: boolean
  readonly paused?: boolean
  readonly rebuildProblem?: string
  readonly isBlocked: boolean
  /** The rebuild for the version of the projection was aborted. */
  readonly isGivenUp: boolean
}

const near = 100n

const select = (sql: SqlClient.SqlClient, projections: ReadonlyArray<Projection>) =>
  sql`
    SELECT asked.name, h."position" AS head, h.log_id AS "logId", c.log_id AS "checkpointLogId", c.version,
      ${sql.literal(Checkpoint.isOfHistory)} AS "isOfHistory",
      l."position", l.behind, l.lag, l.parked, c.updated_at AS "updatedAt", c.paused, c.problem,
      r.id::text AS "rebuildId", r.problem AS "rebuildProblem", r.state IS NOT DISTINCT FROM 'blocked' AS "isBlocked",
      EXISTS (
        SELECT FROM ordinal.rebuilds a
        WHERE a.projection = asked.name AND a.version = asked.version AND ${sql.literal(RebuildRows.isGivenUp)}
      ) AS "isGivenUp"
    FROM unnest(
      ${projections.map(({ name }) => name)}::text[], ${projections.map(({ version }) => version)}::integer[]
    ) AS asked (name, version)
    CROSS JOIN ordinal.log_head h
    CROSS JOIN LATERAL (${Checkpoint.lag(sql, { name: sql.literal("asked.name") })}) l
    LEFT JOIN ordinal.checkpoints c ON c.projection = asked.name AND c.slot = 'live'
    LEFT JOIN ordinal.rebuilds r ON r.projection = asked.name AND r.state IN ('running', 'paused', 'blocked')
    ORDER BY asked.name`.pipe(Effect.map((rows) => rows.map(plainRow<Row>)))

/**
 * Says why a projection can't go on: gives the problem on record, or else the one that the process which runs the
 * projection is going to find. Gives `undefined` if the projection can go on.
 */
const problemOf = (row: Row, own: Projection): string | undefined => {
  const { checkpointLogId, head, isGivenUp, isOfHistory, logId, name, position, rebuildId, version } = row
  if (row.problem !== undefined || checkpointLogId === undefined || version === undefined) return row.problem
  const problem =
    Checkpoint.problemOf({ checkpointLogId, head, isOfHistory, logId, position }) ??
    (version > own.version ? Checkpoint.otherVersion(version) : undefined)
  if (problem !== undefined) return Checkpoint.rebuildDemanded(name, problem).message
  if (version >= own.version) return undefined
  if (row.isBlocked && row.rebuildProblem !== undefined) return row.rebuildProblem
  return rebuildId === undefined && isGivenUp
    ? `The view is of version ${version}, and the rebuild that makes it one of version ${own.version} was aborted; ` +
        `rebuild it (POST /admin/projections/${name}/rebuild) to have version ${own.version}.`
    : undefined
}

/** Combines what any process can read in the row with the trouble that only the process which runs it knows of. */
const statusOf = (row: Row, own: Projection, local: ProjectionStatus | undefined): ProjectionStatus => {
  const { head, paused, position, rebuildId, version } = row
  if (version === undefined) return "starting"
  if (problemOf(row, own) !== undefined) return "stopped"
  if (paused === true) return "paused"
  const isWrong = local === "retrying" || local === "stopped"
  if (rebuildId !== undefined && (!isWrong || version !== own.version)) return "rebuilding"
  if (isWrong || local === "starting") return local
  return head - position <= near || local === "live" ? "live" : "catching-up"
}

const internals = [
  "logId",
  "checkpointLogId",
  "isOfHistory",
  "paused",
  "rebuildProblem",
  "isBlocked",
  "isGivenUp"
] as const

const toInfo = (row: Row, own: Projection, local: ProjectionStatus | undefined): ProjectionInfo => {
  const problem = problemOf(row, own) ?? row.rebuildProblem
  return {
    ...Struct.omit(row, internals),
    version: row.version ?? own.version,
    status: statusOf(row, own, local),
    ...(problem === undefined ? {} : { problem })
  }
}

const make = Effect.fnUntraced(function* (projections: ReadonlyArray<Projection>) {
  const { projections: sql } = yield* Database
  const log = yield* EventStore
  const { logId } = yield* log.head
  const progress = yield* ProjectionProgress

  const setPaused = Effect.fnUntraced(function* (name: string, paused: boolean) {
    yield* findProjection(projections, name)
    yield* sql`UPDATE ordinal.checkpoints SET paused = ${paused}, problem = CASE WHEN ${paused} THEN problem END
      WHERE projection = ${name} AND slot = 'live'`.pipe(changeOrUnavailable, changeWithinSeconds(6))
    yield* Effect.logInfo(`The projection is ${paused ? "paused" : "resumed"}.`, { projection: name })
  })

  return Projections.of({
    list: Effect.gen(function* () {
      const infos: Array<ProjectionInfo> = []
      for (const row of yield* select(sql, projections).pipe(orUnavailable, withinSeconds(6))) {
        const projection = projections.find(({ name }) => name === row.name)
        if (projection !== undefined) infos.push(toInfo(row, projection, yield* progress.status(projection)))
      }
      return infos
    }),
    pause: Effect.fn("Projections.pause")((name: string) => setPaused(name, true)),
    resume: Effect.fn("Projections.resume")((name: string) => setPaused(name, false)),
    awaitToken: Effect.fn("Projections.awaitToken")(function* (name, token, { streamId, wait } = {}) {
      const projection = yield* findProjection(projections, name)
      const reached = yield* TokenWait.awaitIn(log, logId, {
        position: progress.position(projection),
        awaitPosition: (position) => progress.awaitPosition(projection, position)
      })(token, wait)
      yield* ConsistencyToken.verify(log, logId, reached)
      const required = reached.position
      if (streamId === undefined) return
      const parkedAt = yield* ParkedRows.parkedAt(sql, name, streamId).pipe(orUnavailable, withinSeconds(6))
      if (parkedAt !== undefined && parkedAt <= required) {
        return yield* ConsistencyToken.ProjectionBehind.parked(required, parkedAt)
      }
    })
  })
})

/** Offers these projections, whichever process runs them. */
export const layer = (projections: ReadonlyArray<Projection>) => Layer.effect(Projections, make(projections))
