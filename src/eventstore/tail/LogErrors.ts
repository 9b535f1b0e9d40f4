/** The defects of a log that is not what it was. `LogTail` finds them, and its readers die of them. */

/** This defect means that a gap was read twice: the log is damaged, or its adapter is wrong. It is looked at again. */
export class LogGap extends Error {
  constructor(after: bigint, found: bigint) {
    super(`The log continues at position ${found} after ${after}; nothing is skipped, and nothing after it is read.`)
    this.name = "LogGap"
  }
}

/** This defect means that the last event is gone or is another one: the log was replaced while this process ran. */
export class LogWentBack extends Error {
  constructor(read: bigint, head: bigint) {
    super(
      `The log was read up to position ${read} and is another one now, which ends at ${head}: it was replaced by an ` +
        "older copy. What this process remembered of it is dropped; rebuild the projections."
    )
    this.name = "LogWentBack"
  }
}
