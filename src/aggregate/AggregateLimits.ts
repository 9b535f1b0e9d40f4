import { Context, Duration } from "effect"

/** Bounds of the actors. Counts, unless they are durations. */
export interface AggregateLimits {
  /** Commands waiting for one actor. */
  readonly mailbox: number
  /** Commands one actor takes from its mailbox at a time and sends to the log as one unit. */
  readonly drain: number
  /** Commands in the whole process that have no answer yet. */
  readonly inFlight: number
  readonly concurrentActivations: number
  readonly concurrentSnapshots: number
  /** Actors in memory; above it the longest idle goes. */
  readonly residents: number
  readonly idle: Duration.Duration
  readonly commandDeadline: Duration.Duration
  /** How long a shutdown waits for open commands. */
  readonly shutdown: Duration.Duration
}

export const defaults: AggregateLimits = {
  mailbox: 256,
  drain: 64,
  inFlight: 4096,
  concurrentActivations: 64,
  concurrentSnapshots: 4,
  residents: 50_000,
  idle: Duration.minutes(5),
  commandDeadline: Duration.seconds(5),
  shutdown: Duration.seconds(20)
}

export const AggregateLimits = Context.Reference<AggregateLimits>("ordinal/aggregate/AggregateLimits", {
  defaultValue: () => defaults
})
