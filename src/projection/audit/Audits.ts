/**
 * The drift audit compares rows of a view with the fold of their streams, and puts a wrong row right.
 *
 * Each process audits a few streams in the background and keeps its own findings until it ends; nothing is recorded in
 * the database. Operators call this through the admin port, and metrics read the reports; `SqlAudits` implements it.
 */
import { Context, Effect, Layer } from "effect"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { type AuditRefused, type RepairRefused, UnknownProjection, type UnknownStream } from "../ProjectionErrors.ts"

/** A view row and the fold of its stream differ in this way. */
export interface Difference {
  readonly projection: string
  readonly streamId: string
  /**
   * - `different`: the row is not what the log says.
   * - `missing`: there is no row.
   * - `behind`: the row is right for its own version, but lacks events that the checkpoint says are applied.
   * - `extra`: there is a row, but up to the checkpoint no such stream.
   */
  readonly kind: "different" | "missing" | "behind" | "extra"
  /** The first field that differs has this path, as `lines.0.quantity`; empty if the row is missing or extra. */
  readonly field: string
  readonly inView: unknown
  readonly inLog: unknown
  /** This version was audited: the row's, or 0 if the row is missing. */
  readonly version: number
  /** The row and the fold differ from this event on. */
  readonly event?: { readonly version: number; readonly type: string; readonly position: bigint }
  /** This time is in ISO 8601. */
  readonly foundAt: string
}

export interface Audited {
  /** So many streams were compared. Parked and degraded ones are not: their rows are known to lack events.
   */
  readonly compared: number
  readonly differences: ReadonlyArray<Difference>
}

/** This process has found these things since it started. */
export interface AuditReport {
  readonly projection: string
  /** So many streams were compared. */
  readonly audited: number
  readonly found: number
  readonly repaired: number
  /** The last audit was at this time (ISO 8601). */
  readonly lastAt?: string
  /** These differences are not repaired: the newest first, at most 100. */
  readonly differences: ReadonlyArray<Difference>
}

export class Audits extends Context.Service<
  Audits,
  {
    /** Gives what this process has found, for each projection that can be audited. */
    readonly reports: Effect.Effect<ReadonlyArray<AuditReport>>

    /**
     * Compares now up to `streams` streams (default 100), picked at random, with the fold of the log. `AuditRefused`
     * means that the projection has no audit, or that another version made its view. Repeating it is safe.
     */
    auditSample(
      name: string,
      streams?: number
    ): Effect.Effect<Audited, UnknownProjection | AuditRefused | DatabaseUnavailable>

    /**
     * Compares this stream as `auditSample` does. `UnknownStream`: the projection has neither events nor a row of it.
     */
    auditStream(
      name: string,
      streamId: string
    ): Effect.Effect<Audited, UnknownProjection | UnknownStream | AuditRefused | DatabaseUnavailable>

    /**
     * Writes the fold of the log over the row of a stream, and gives the difference that was there; undefined if the
     * row was right. `RepairRefused` means that nothing was written: the stream is parked or degraded, a rebuild is
     * under way, or the row has changed since it was compared, in which case repeat it. After `DatabaseUnavailable`
     * repeat it, too.
     */
    repair(
      name: string,
      streamId: string
    ): Effect.Effect<Difference | undefined, UnknownProjection | UnknownStream | RepairRefused | DatabaseUnavailable>
  }
>()("ordinal/projection/audit/Audits") {
  /** There are no projections in memory, so there is nothing to audit. */
  static readonly layerMemory: Layer.Layer<Audits> = Layer.sync(Audits, () => {
    const unknown = (name: string) => new UnknownProjection({ name })
    return { reports: Effect.succeed([]), auditSample: unknown, auditStream: unknown, repair: unknown }
  })
}
