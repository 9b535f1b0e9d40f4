/** The limits of actors and of the registry that they run in. They are counts unless they say otherwise. */
import { Context, Duration } from "effect"

export interface AggregateLimits {
  /** Commands that may wait for one actor; a further one fails with `Overloaded`. */
  readonly mailbox: number
  /** Commands that one actor takes from its mailbox at a time and stores by one append. */
  readonly drain: number
  /** Commands without an answer in the whole process; a further one fails with `Overloaded`. */
  readonly inFlight: number
  /** Actors that may load their state at once. */
  readonly concurrentActivations: number
  /** Snapshots that may be saved at once. */
  readonly concurrentSnapshots: number
  /** Actors in memory; above this number the longest idle one is removed. */
  readonly residents: number
  /**
   * Bytes that the actors in memory may take, by an estimate; above it the longest idle ones are removed. An eighth of the
   * heap's own limit (see `--max-old-space-size`) is the most, whatever this says.
   */
  readonly residentBytes: number
  /** An actor without commands for so long is removed from memory. */
  readonly idle: Duration.Duration
  /** A command is answered within this time, and within one more second if it is being stored. */
  readonly commandDeadline: Duration.Duration
  /** A shutdown waits so long for open commands. */
  readonly shutdown: Duration.Duration
}

export const defaults: AggregateLimits = {
  mailbox: 256,
  drain: 64,
  inFlight: 4096,
  concurrentActivations: 64,
  concurrentSnapshots: 4,
  residents: 50_000,
  residentBytes: 256 * 1024 * 1024,
  idle: Duration.minutes(5),
  commandDeadline: Duration.seconds(5),
  shutdown: Duration.seconds(20)
}

export const AggregateLimits = Context.Reference<AggregateLimits>("ordinal/aggregate/AggregateLimits", {
  defaultValue: () => defaults
})
