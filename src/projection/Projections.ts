/**
 * Tells how far each projection and subscription of this backend is, pauses it for an operator, and lets a reader wait.
 *
 * Every process answers for all of them, whichever runs them, since checkpoints and pauses are rows of the database.
 * The other services of operators are `Rebuilds`, `ParkedStreams` and `Audits`. The admin port, metrics, `GET
 * /projections` and embedders call this one; `StoredProjections` implements it.
 */
import { Context, type Duration, Effect, Layer } from "effect"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import type { InvalidToken, ProjectionBehind } from "./consistency/ConsistencyToken.ts"
import type { ProjectionStatus } from "./consistency/ProjectionProgress.ts"
import type { Start } from "./Projection.ts"
import { type RewindRefused, UnknownProjection } from "./ProjectionErrors.ts"

export interface ProjectionInfo {
  readonly name: string
  readonly kind: "projection" | "subscription"
  /** This version of the projection made what is being read now. */
  readonly version: number
  readonly status: ProjectionStatus
  /** The last event that is applied is at this position: the committed checkpoint. */
  readonly position: bigint
  /** The last event of the log is at this position. */
  readonly head: bigint
  /** So many events of the log are not applied: `head − position`, or 0. */
  readonly behind: number
  /** The oldest event that is not applied is so many seconds old; 0 if every event is applied. */
  readonly lag: number
  /** The checkpoint last moved at this time (ISO 8601); absent if the projection never ran. */
  readonly updatedAt?: string
  /** So many streams are parked. */
  readonly parked: number
  /** Says in a sentence why the projection is `stopped`, or why its rebuild is blocked or has to wait. */
  readonly problem?: string
  /** The rebuild of this id is under way, if there is one. */
  readonly rebuildId?: string
}

export interface AwaitOptions {
  /** Limits the wait; default 2 s, at most 30 s. */
  readonly wait?: Duration.Input
  readonly streamId?: string
}

export class Projections extends Context.Service<
  Projections,
  {
    /**
     * Lists the projections by name. Fails with `DatabaseUnavailable` if the database does not answer within 6 s; ask
     * again after `retryAfter` seconds.
     */
    readonly list: Effect.Effect<ReadonlyArray<ProjectionInfo>, DatabaseUnavailable>

    /**
     * Pauses a projection: once this has answered, no more events are applied in any process until `resume`, also after
     * a restart. A paused projection stays paused. On `DatabaseUnavailable` the pause may or may not be in force:
     * repeat it.
     */
    pause(name: string): Effect.Effect<void, UnknownProjection | DatabaseUnavailable>

    /**
     * Lets a paused projection go on, and one that has `stopped` try again once its cause is removed. Repeating it is
     * safe, also after `DatabaseUnavailable`.
     */
    resume(name: string): Effect.Effect<void, UnknownProjection | DatabaseUnavailable>

    /**
     * Makes a subscription go on behind another point of the log: the first event, the last one, or the one that a
     * consistency token was given for. What follows that point is delivered again, streams included that are parked
     * behind it; what the subscription is handling at the moment may be delivered once more. Fails with `InvalidToken`
     * if this log did not issue the token, with `RewindRefused` if it is a projection. Repeating it is safe.
     */
    rewind(
      name: string,
      to: Start
    ): Effect.Effect<void, UnknownProjection | RewindRefused | InvalidToken | DatabaseUnavailable>

    /**
     * Waits until the projection has applied the write that the consistency token was given for; an embedder then reads
     * its table. `InvalidToken` means that this log did not issue the token: drop it. `ProjectionBehind` means that the
     * wait was too short: try again after `retryAfter` seconds. With `streamId` it also fails while that stream is
     * parked before the write (`parked: true`), which an operator has to resolve by `ParkedStreams`.
     */
    awaitToken(
      name: string,
      token: string,
      options?: AwaitOptions
    ): Effect.Effect<void, UnknownProjection | InvalidToken | ProjectionBehind | DatabaseUnavailable>
  }
>()("ordinal/projection/Projections") {
  /** There are no projections: the list is empty, and no name is known. */
  static readonly layerMemory: Layer.Layer<Projections> = Layer.sync(Projections, () => {
    const unknown = (name: string) => new UnknownProjection({ name })
    return { list: Effect.succeed([]), pause: unknown, resume: unknown, rewind: unknown, awaitToken: unknown }
  })
}
