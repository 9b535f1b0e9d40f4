/**
 * Rebuilds projections: a second table is filled from the beginning of the log beside the one that serves, compared
 * with the log, and put in its place, so that readers never see an empty or an older view.
 *
 * A rebuild is a row of the database: it survives restarts, and whichever process runs the projection works on it.
 * Operators call this through the admin port; `SqlRebuilds` implements it, and `RebuildRunner` does the work. Marten
 * calls this idea the blue/green deployment of projection versions.
 */
import { Context, Effect, Layer, Schema } from "effect"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { type RebuildRefused, UnknownProjection, UnknownRebuild } from "../ProjectionErrors.ts"

/**
 * - `running`: events are being applied; any process goes on with it after a crash. If it has to wait before its table
 *   can be put in place, its problem says for what.
 * - `paused`: an operator paused it.
 * - `blocked`: its table can't be put in place, for the reason in its problem; abort it, or resume it after a fix.
 * - `completed`: its table serves now.
 * - `aborted`: an operator ended it; its table is gone, and no rebuild for its version begins again by itself.
 * - `replaced`: it gave way to a rebuild for another version; one for its own version begins again if that is aborted.
 */
export const RebuildState = Schema.Literals(["running", "paused", "blocked", "completed", "aborted", "replaced"])
export type RebuildState = typeof RebuildState.Type

export interface Rebuild {
  readonly id: string
  readonly projection: string
  /** This version of the projection makes the new table. */
  readonly version: number
  readonly state: RebuildState
  /** The rebuild began after this position, which is always 0. */
  readonly from: bigint
  readonly position: bigint
  /** The log ends at this position; or ended, when the rebuild did. */
  readonly target: bigint
  /** So many events per second were applied over the last few seconds. */
  readonly rate: number
  /** Seconds until it reaches its target at this rate. Absent if it is not running or not moving. */
  readonly etaSeconds?: number
  /** The rows of so many streams were compared with the log before the table was put in place. */
  readonly compared: number
  /** So many of these rows differed. */
  readonly different: number
  readonly problem?: string
  /** This time is in ISO 8601. */
  readonly startedAt: string
  readonly finishedAt?: string
}

export interface RebuildOptions {
  /** Limits the events per second, or with 0 lets it go as fast as it can; default `ProjectionLimits.rebuildRate`. */
  readonly eventsPerSecond?: number
  /** The rows of so many streams are compared with the log before the table is put in place; 200 by default. */
  readonly compare?: number | "all"
}

type Changed = Effect.Effect<Rebuild, UnknownRebuild | RebuildRefused | DatabaseUnavailable>

export class Rebuilds extends Context.Service<
  Rebuilds,
  {
    /** Lists rebuilds under way and ended, the newest first, at most 100. `DatabaseUnavailable`: ask again later. */
    readonly list: Effect.Effect<ReadonlyArray<Rebuild>, DatabaseUnavailable>

    /** Tells how far a rebuild is. Fails with `UnknownRebuild` if there never was one of this id. */
    get(id: string): Effect.Effect<Rebuild, UnknownRebuild | DatabaseUnavailable>

    /**
     * Starts to rebuild a projection and answers at once; `get` tells the progress. Fails with `RebuildRefused` if a
     * rebuild is under way (its `id` is given: wait for it or abort it), or if the projection has no second table
     * (`problem` says how to begin anew instead). After `DatabaseUnavailable` look at `list` before repeating it.
     */
    start(
      name: string,
      options?: RebuildOptions
    ): Effect.Effect<Rebuild, UnknownProjection | RebuildRefused | DatabaseUnavailable>

    /** Pauses a rebuild, keeping what it has built. Fails with `RebuildRefused` if it has ended. Safe to repeat. */
    pause(id: string): Changed

    /** Lets a paused or blocked rebuild go on. Fails with `RebuildRefused` if it has ended. Safe to repeat. */
    resume(id: string): Changed

    /**
     * Ends a rebuild and drops its table; what serves goes on serving. Fails with `RebuildRefused` if it has ended, and
     * with `DatabaseUnavailable` (`isBusy`) while a batch holds the lock: repeat it after `retryAfter` seconds.
     */
    abort(id: string): Changed
  }
>()("ordinal/projection/rebuild/Rebuilds") {
  /** There are no projections in memory, so there is nothing to rebuild. */
  static readonly layerMemory: Layer.Layer<Rebuilds> = Layer.sync(Rebuilds, () => {
    const unknown = (id: string) => new UnknownRebuild({ id })
    return {
      list: Effect.succeed([]),
      get: unknown,
      start: (name) => new UnknownProjection({ name }),
      pause: unknown,
      resume: unknown,
      abort: unknown
    }
  })
}
