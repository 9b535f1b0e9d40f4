/**
 * The projections of this backend: what each of them is doing, and what an operator can do about it.
 *
 * Plain effects over the database, so any process answers for all of them, whichever runs them. Pausing, parked streams
 * and rebuilds are rows, so they survive restarts.
 */
import { Context, type Duration, Effect, Layer } from "effect"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import type { InvalidToken, ProjectionBehind } from "./consistency/ConsistencyToken.ts"
import {
  type AuditRefused,
  type ParkedElsewhere,
  type RebuildRefused,
  type RepairRefused,
  type RetryRefused,
  type StillFailing,
  UnknownParkedStream,
  UnknownProjection,
  UnknownRebuild,
  type UnknownStream
} from "./ProjectionErrors.ts"
import type { ProjectionStatus } from "./consistency/ProjectionProgress.ts"
import type { RebuildState } from "./rebuild/RebuildState.ts"

export interface ProjectionInfo {
  readonly name: string
  /** Of the projection that made what is being read now. */
  readonly version: number
  readonly status: ProjectionStatus
  /** The committed checkpoint. */
  readonly position: bigint
  readonly head: bigint
  /** Events of the log that are not applied: `head − position`, or 0. */
  readonly behind: number
  /** Age in seconds of the oldest of them; 0 if there is none. */
  readonly lag: number
  /** ISO 8601: when the checkpoint last moved. Absent if it never ran. */
  readonly updatedAt?: string
  /** Streams set aside. */
  readonly parked: number
  /** Why it is `stopped`, or its rebuild is blocked or has to wait, in a sentence. */
  readonly problem?: string
  /** The rebuild that is under way, if any. */
  readonly rebuildId?: string
}

/** A stream that is set aside, or (`parked: false`, `degraded: true`) goes on without the events that were skipped. */
export interface ParkedStream {
  readonly id: string
  readonly projection: string
  readonly streamId: string
  /** The first version that is not applied: the event that failed. */
  readonly version: number
  readonly position: bigint
  readonly reason: string
  readonly parkedAt: string
  /** How often it has been tried in vain since it was parked. */
  readonly retries: number
  readonly parked: boolean
  readonly degraded: boolean
  /** Versions that were skipped for good. */
  readonly skipped: ReadonlyArray<number>
}

export interface Rebuild {
  readonly id: string
  readonly projection: string
  readonly version: number
  readonly state: RebuildState
  /** Where it began: 0. */
  readonly from: bigint
  readonly position: bigint
  /** The log's head (when completed: where it was put in place). */
  readonly target: bigint
  /** Events per second, lately. */
  readonly rate: number
  /** Absent if it is not running or not moving. */
  readonly etaSeconds?: number
  /** Orders that were compared with the fold of the log before it was put in place, and how many of them differed. */
  readonly compared: number
  readonly different: number
  readonly problem?: string
  readonly startedAt: string
  readonly finishedAt?: string
}

export interface AwaitOptions {
  /** How long to wait for it; default 2 s, at most 30 s. */
  readonly wait?: Duration.Input
  readonly streamId?: string
}

export interface RebuildOptions {
  /** At most so many events per second, or 0 for as many as it can; what `ProjectionLimits` says if absent. */
  readonly eventsPerSecond?: number
  /** How many streams are compared with the fold of the log before it is put in place; default 200. */
  readonly compare?: number | "all"
}

/** Where a view row and the fold of its stream part. */
export interface Difference {
  readonly projection: string
  readonly streamId: string
  /**
   * `behind`: the row lacks events that the checkpoint says are applied, but is right for its own version. `extra`: there
   * is a row, and up to the checkpoint no such stream.
   */
  readonly kind: "different" | "missing" | "behind" | "extra"
  /** Path of the first field that differs, as `lines.0.quantity`; empty if the row is missing or extra. */
  readonly field: string
  readonly inView: unknown
  readonly inLog: unknown
  /** The version that was audited: the row's, or 0 if it is missing. */
  readonly version: number
  /** The event from which on they differ. */
  readonly event?: { readonly version: number; readonly type: string; readonly position: bigint }
  readonly foundAt: string
}

export interface Audited {
  /** How many streams were compared. Those that are set aside or degraded are not: their rows are known to lack events. */
  readonly compared: number
  readonly differences: ReadonlyArray<Difference>
}

export interface AuditReport {
  readonly projection: string
  /** Since this process started. */
  readonly audited: number
  readonly found: number
  readonly repaired: number
  readonly lastAt?: string
  /** Those not repaired, the newest first, at most 100. */
  readonly differences: ReadonlyArray<Difference>
}

type ByName<A, E = never> = Effect.Effect<A, E | UnknownProjection | DatabaseUnavailable>
type ById<A, E> = Effect.Effect<A, E | DatabaseUnavailable>

export class Projections extends Context.Service<
  Projections,
  {
    readonly list: Effect.Effect<ReadonlyArray<ProjectionInfo>, DatabaseUnavailable>
    /** Takes effect at once: nothing is applied after it answers. Already paused: nothing to do. */
    pause(name: string): ByName<void>
    resume(name: string): ByName<void>

    /**
     * Waits until what the projection keeps contains the write that the token was given for; for an embedder who then
     * reads its table. With `streamId` it also fails, with `parked`, while that stream is set aside before the write.
     */
    awaitToken(name: string, token: string, options?: AwaitOptions): ByName<void, InvalidToken | ProjectionBehind>

    /** Starts to fill a second table beside the one that serves, which it replaces once it has caught up. */
    rebuild(name: string, options?: RebuildOptions): ByName<Rebuild, RebuildRefused>
    /** Those under way and those ended, the newest first, at most 100. */
    readonly rebuilds: Effect.Effect<ReadonlyArray<Rebuild>, DatabaseUnavailable>
    rebuildStatus(id: string): ById<Rebuild, UnknownRebuild>
    pauseRebuild(id: string): ById<Rebuild, UnknownRebuild | RebuildRefused>
    resumeRebuild(id: string): ById<Rebuild, UnknownRebuild | RebuildRefused>
    abortRebuild(id: string): ById<Rebuild, UnknownRebuild | RebuildRefused>

    /** Streams set aside, and those that go on degraded; by projection and position. */
    readonly parked: Effect.Effect<ReadonlyArray<ParkedStream>, DatabaseUnavailable>
    /** Applies what was held back, in order; afterwards the stream is followed again. */
    retry(id: string): ById<void, UnknownParkedStream | RetryRefused | StillFailing>
    /**
     * Drops the one event that fails, for good, and applies what came after it. The stream is `degraded` from then on.
     * With the version of the event it is safe to repeat: another one is not dropped.
     */
    skip(id: string, version?: number): ById<void, UnknownParkedStream | RetryRefused | ParkedElsewhere | StillFailing>

    /** What the audits of this process have found, of each projection that can be audited. */
    readonly audits: Effect.Effect<ReadonlyArray<AuditReport>>
    /** Compares so many streams, picked at random (default 100), with the fold of the log now. */
    audit(name: string, streams?: number): ByName<Audited, AuditRefused>
    /** Compares this one. */
    auditStream(name: string, streamId: string): ByName<Audited, AuditRefused | UnknownStream>
    /** Puts the fold of the log in place of the row, if that is still at the version at which it was audited. */
    repair(name: string, streamId: string): ByName<Difference | undefined, RepairRefused | UnknownStream>
  }
>()("ordinal/projection/Projections") {
  /** Where nothing is projected: in memory. */
  static readonly layerNone: Layer.Layer<Projections> = Layer.sync(Projections, () => none)
}

const unknownProjection = (name: string) => new UnknownProjection({ name })
const unknownRebuild = (id: string) => new UnknownRebuild({ id })
const unknownParked = (id: string) => new UnknownParkedStream({ id })

const none = Projections.of({
  list: Effect.succeed([]),
  pause: unknownProjection,
  resume: unknownProjection,
  awaitToken: unknownProjection,
  rebuild: unknownProjection,
  rebuilds: Effect.succeed([]),
  rebuildStatus: unknownRebuild,
  pauseRebuild: unknownRebuild,
  resumeRebuild: unknownRebuild,
  abortRebuild: unknownRebuild,
  parked: Effect.succeed([]),
  retry: unknownParked,
  skip: unknownParked,
  audits: Effect.succeed([]),
  audit: unknownProjection,
  auditStream: unknownProjection,
  repair: unknownProjection
})
