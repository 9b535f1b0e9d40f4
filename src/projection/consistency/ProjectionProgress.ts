/**
 * The state of each projection as this process knows it: the committed checkpoint, and what the local runner is doing.
 *
 * A local runner reports each commit at once, and whoever reads a view reports the checkpoint that was read with it. Another
 * process may be the active one, so while somebody waits, one fiber reads the checkpoints every 20 ms, however many callers
 * wait; while nobody waits, it reads nothing. For a projection that never runs here it does so at once and after 5 ms, and
 * then more and more rarely, down to every 100 ms, until a checkpoint moves or somebody else begins to wait.
 */
import { Context, Effect, Layer, Queue } from "effect"
import { supervise } from "../../supervision/Supervisor.ts"
import type { Projection } from "../Projection.ts"
import { ProjectionStore } from "../store/ProjectionStore.ts"
import * as PositionLatch from "./PositionLatch.ts"

/**
 * - `starting`: it has not looked at the log yet.
 * - `catching-up`: it works through a backlog.
 * - `live`: it follows the head of the log.
 * - `retrying`: something failed; the runner tries again and skips nothing.
 * - `paused`: an operator paused it, until it is resumed.
 * - `rebuilding`: a new table is being filled beside the one that serves.
 * - `stopped`: going on would be wrong, so an operator has to act. The log says why.
 */
export type ProjectionStatus = "starting" | "catching-up" | "live" | "retrying" | "paused" | "rebuilding" | "stopped"

type Named = Pick<Projection, "name">

export class ProjectionProgress extends Context.Service<
  ProjectionProgress,
  {
    /** Gives the committed checkpoint as last seen; 0 before the first look. */
    position(projection: Named): Effect.Effect<bigint>
    /** Waits, without limit, until the committed checkpoint is at `position` or beyond; gives the checkpoint then. */
    awaitPosition(projection: Named, position: bigint): Effect.Effect<bigint>
    /** Waits until somebody in this process waits for a position. */
    whenAwaited(projection: Named): Effect.Effect<void>
    /** Gives the status of the runner in this process; undefined if there is none. */
    status(projection: Named): Effect.Effect<ProjectionStatus | undefined>
    /** Reports a committed checkpoint: the runner's, or one that was read together with the rows of the view. */
    readonly committed: (projection: Named, position: bigint) => void
    /** Forgets the checkpoint, which may be of history that was lost; only the runner calls this. Whoever waits goes on. */
    readonly forget: (projection: Named) => void
    /** Reports a new status; only the runner calls this. */
    readonly becomes: (projection: Named, status: ProjectionStatus) => void
  }
>()("ordinal/projection/consistency/ProjectionProgress") {
  static readonly layer: Layer.Layer<ProjectionProgress, never, ProjectionStore> = Layer.effect(
    ProjectionProgress,
    Effect.flatMap(ProjectionStore, ({ positions }) => over(positions))
  )
}

const poll = 20
const pollElsewhere = { first: 5, longest: 100 }

/** Makes the progress that these checkpoints tell. `watcher` is the name of the fiber that reads them. */
export const over = Effect.fnUntraced(function* (
  positions: Effect.Effect<Effect.Success<ProjectionStore["Service"]["positions"]>, unknown>,
  watcher = "checkpoint-watcher"
) {
  const latches = new Map<string, PositionLatch.PositionLatch>()
  const statuses = new Map<string, ProjectionStatus>()
  const awaited = yield* Queue.sliding<void>(1)
  let nextPause = pollElsewhere.first

  const latchOf = ({ name }: Named) => {
    const known = latches.get(name)
    if (known !== undefined) return known
    const created = PositionLatch.make(() => {
      nextPause = pollElsewhere.first
      Queue.offerUnsafe(awaited, undefined)
    })
    latches.set(name, created)
    return created
  }

  const readCheckpoints = positions.pipe(
    Effect.map((rows) => {
      for (const { position, projection } of rows) {
        const latch = latchOf({ name: projection })
        if (position > latch.position()) nextPause = pollElsewhere.first
        latch.advance(position)
      }
    })
  )
  const isAwaited = () => [...latches.values()].some((latch) => latch.isAwaited())
  /** Without a runner nothing is reported here, so the position that is awaited may have been reached long ago. */
  const isRunElsewhere = () => [...latches].some(([name, latch]) => latch.isAwaited() && !statuses.has(name))
  const look = Effect.suspend(() => (isAwaited() ? readCheckpoints : Effect.void)).pipe(
    Effect.catchCause((cause) => Effect.logDebug("The checkpoints can't be read; trying again soon.", cause))
  )
  const pause = Effect.suspend(() => {
    if (!isRunElsewhere()) return Effect.sleep(poll)
    const millis = nextPause
    nextPause = Math.min(pollElsewhere.longest, 2 * millis)
    return Effect.sleep(millis)
  })
  const watch = Effect.suspend(() => (isRunElsewhere() ? look : Effect.void)).pipe(
    Effect.andThen(Effect.whileLoop({ while: isAwaited, body: () => Effect.andThen(pause, look), step: () => {} }))
  )
  yield* supervise(
    watcher,
    Effect.suspend(() => {
      // Whoever waited when this failed before still waits.
      if (isAwaited()) Queue.offerUnsafe(awaited, undefined)
      return Effect.forever(Effect.andThen(Queue.take(awaited), watch))
    })
  )

  return ProjectionProgress.of({
    position: (projection) => Effect.sync(() => latchOf(projection).position()),
    awaitPosition: (projection, position) => Effect.suspend(() => latchOf(projection).awaitPosition(position)),
    whenAwaited: (projection) => Effect.suspend(() => latchOf(projection).whenAwaited),
    status: (projection) => Effect.sync(() => statuses.get(projection.name)),
    committed: (projection, position) => latchOf(projection).advance(position),
    forget: (projection) => latchOf(projection).reset(),
    becomes: (projection, status) => void statuses.set(projection.name, status)
  })
})
