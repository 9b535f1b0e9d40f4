/**
 * How far the projections are, as this process knows: their committed checkpoints and what their runners are doing.
 *
 * A local runner reports each commit at once. Another process may be the active one, so while somebody waits, one fiber
 * reads the checkpoints every 20 ms, however many wait; while nobody does, it reads nothing.
 */
import { Context, Effect, Layer, Queue } from "effect"
import { Database } from "../../database/Database.ts"
import * as PositionLatch from "./PositionLatch.ts"
import type { ProjectionKey } from "../Projection.ts"
import type { ProjectionStatus } from "../ProjectionStatus.ts"

export class ProjectionProgress extends Context.Service<
  ProjectionProgress,
  {
    /** The committed checkpoint as last seen; 0 before the first look. */
    position(projection: Named): Effect.Effect<bigint>
    /** Waits, without limit, until the committed checkpoint is at `position` or beyond; the checkpoint then. */
    awaitPosition(projection: Named, position: bigint): Effect.Effect<bigint>
    /** Of the runner in this process; undefined if there is none. */
    status(projection: Named): Effect.Effect<ProjectionStatus | undefined>
    /** For the runner only, after a commit. */
    readonly committed: (projection: Named, position: bigint) => void
    /** For the runner only. */
    readonly becomes: (projection: Named, status: ProjectionStatus) => void
  }
>()("ordinal/projection/consistency/ProjectionProgress") {
  static readonly layer: Layer.Layer<ProjectionProgress, never, Database> = Layer.effect(
    ProjectionProgress,
    Effect.suspend(() => make)
  )
}

const poll = "20 millis"

type Named = Pick<ProjectionKey, "name">

interface CheckpointRow {
  readonly projection: string
  readonly position: bigint
}

const make = Effect.gen(function* () {
  const { reads: sql } = yield* Database
  const gates = new Map<string, PositionLatch.PositionLatch>()
  const statuses = new Map<string, ProjectionStatus>()
  const awaited = yield* Queue.sliding<void>(1)

  const gateOf = ({ name }: Named) => {
    const known = gates.get(name)
    if (known !== undefined) return known
    const created = PositionLatch.make(() => Queue.offerUnsafe(awaited, undefined))
    gates.set(name, created)
    return created
  }

  // Only of what is read, and only if it is of this log: a wrong one must not let anybody pass.
  const look = sql<CheckpointRow>`SELECT c.projection, c."position" FROM ordinal.checkpoints c
    JOIN ordinal.log_head h ON h.log_id = c.log_id AND h."position" >= c."position"
    WHERE c.slot = 'live' ORDER BY c.projection`.pipe(
    Effect.map((rows) => {
      for (const row of rows) gateOf({ name: row.projection }).advance(row.position)
    })
  )
  const isAwaited = () => [...gates.values()].some((gate) => gate.isAwaited())
  const watch = Effect.sleep(poll).pipe(
    Effect.andThen(Effect.suspend(() => (isAwaited() ? look : Effect.void))),
    Effect.catchCause((cause) => Effect.logDebug("checkpoints can't be read for now", cause)),
    Effect.repeat({ while: isAwaited })
  )
  yield* Queue.take(awaited).pipe(Effect.andThen(watch), Effect.forever, Effect.forkScoped)

  return ProjectionProgress.of({
    position: (projection) => Effect.sync(() => gateOf(projection).position()),
    awaitPosition: (projection, position) => Effect.suspend(() => gateOf(projection).awaitPosition(position)),
    status: (projection) => Effect.sync(() => statuses.get(projection.name)),
    committed: (projection, position) => gateOf(projection).advance(position),
    becomes: (projection, status) => void statuses.set(projection.name, status)
  })
})
