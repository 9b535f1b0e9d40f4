/** Tunables of projections, each with its default. */
import { Context, Duration } from "effect"

export interface ProjectionLimits {
  /** How long a process that went away keeps a projection from being taken over; it renews it three times as often. */
  readonly lease: Duration.Duration
  /** Between two audits, and how many streams each compares; none with 0. */
  readonly auditEvery: Duration.Duration
  readonly auditStreams: number
  /** How long a transaction on a view may take in all. */
  readonly transaction: Duration.Duration
  /** Events per second of a rebuild that does not say otherwise; 0 = as fast as it goes. */
  readonly rebuildRate: number
}

export const defaults: ProjectionLimits = {
  lease: Duration.seconds(3),
  auditEvery: Duration.seconds(30),
  auditStreams: 20,
  transaction: Duration.seconds(10),
  rebuildRate: 0
}

export const ProjectionLimits = Context.Reference<ProjectionLimits>("ordinal/projection/ProjectionLimits", {
  defaultValue: () => defaults
})
