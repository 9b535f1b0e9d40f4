/** For tests that are not about time: what is given up on a machine that is slow, or stood still, never is in them. */
import { Duration } from "effect"
import { defaults, type ProjectionLimits } from "../../src/projection/ProjectionLimits.ts"

/** Of a database's options: no connection is given up while it is made. */
export const patientConnections = { connectTimeout: "1 minute" } as const

/** Of `AggregateLimits`: no command is given up. */
export const patientCommands = { commandDeadline: Duration.minutes(5) }

/** As long as anybody may wait for a view. */
export const longestWait = { wait: "30 seconds" } as const

/** A session's settings: the server ends no transaction in which this process does nothing for a while. */
export const idleInTransaction = { idle_in_transaction_session_timeout: "0" }

/** Nobody takes a lease over, or renews it, in the time of a test. */
export const endlessLease: ProjectionLimits = { ...defaults, lease: Duration.hours(1) }
