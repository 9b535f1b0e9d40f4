/** Limits for tests that are not about time: nothing is given up because the machine is slow or stood still. */
import { Duration } from "effect"
import { defaults, type ProjectionLimits } from "../../src/projection/ProjectionLimits.ts"

/** These are options of a database under which no connection is given up while it is made. */
export const patientConnections = { connectTimeout: "1 minute" } as const

/** These are limits of aggregates under which no command is given up. */
export const patientCommands = { commandDeadline: Duration.minutes(5) }

/** This is the longest that anybody may wait for a view. */
export const longestWait = { wait: "30 seconds" } as const

/** These are a session's settings: the server ends no transaction in which this process does nothing for a while. */
export const idleInTransaction = { idle_in_transaction_session_timeout: "0" }

/** Nobody takes a lease over, or renews it, in the time of a test. */
export const endlessLease: ProjectionLimits = { ...defaults, lease: Duration.hours(1) }
