/** The limits of projections, each with its default. An embedder changes them by providing this reference. */
import { Context, Duration } from "effect"

export interface ProjectionLimits {
  /** The term of a lease: so long after a process went away, another one takes its projections over. */
  readonly lease: Duration.Duration
  /** The pause between two audits in the background. */
  readonly auditEvery: Duration.Duration
  /** The number of streams that each of these audits compares; with 0 there are none. */
  readonly auditStreams: number
  /** The time that one transaction on a view may take. */
  readonly transaction: Duration.Duration
  /** The events per second of a rebuild that does not say otherwise; with 0 it goes as fast as it can. */
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
