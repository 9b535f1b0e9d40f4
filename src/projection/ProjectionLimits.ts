/** Projections have these limits, each with its default. An embedder changes them by providing this reference. */
import { Context, Duration } from "effect"

export interface ProjectionLimits {
  /** A lease lasts so long: this long after a process went away, another one takes its projections over. */
  readonly lease: Duration.Duration
  /** There is such a pause between two audits in the background. */
  readonly auditEvery: Duration.Duration
  /** Each of these audits compares so many streams; with 0 there are no audits. */
  readonly auditStreams: number
  /** One transaction on a view may take so long. */
  readonly transaction: Duration.Duration
  /** A rebuild applies so many events per second unless it says otherwise; with 0 it goes as fast as it can. */
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
