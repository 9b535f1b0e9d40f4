/** Lists the problems that endpoints of one kind have in common. */
import type { CommandName } from "../../order/OrderCommand.ts"
import { rejectionsOf } from "../../order/rules/RejectionsOf.ts"
import { Problems } from "../problems/Problems.ts"

/** Any command on any aggregate may answer these. */
export const sendErrors = [
  Problems.InvalidIdempotencyKey,
  Problems.ConcurrencyConflict,
  Problems.VersionMismatch,
  Problems.CommandInProgress,
  Problems.CommandIdReused,
  Problems.Overloaded,
  Problems.Draining,
  Problems.OutcomeUnknown,
  Problems.DatabaseUnavailable,
  Problems.AggregateSuspended
]

/** This command on an order may answer these: its own rejections, and what any command may answer. */
export const commandErrors = <Name extends CommandName>(name: Name) => [
  ...sendErrors,
  ...rejectionsOf[name].map((tag: (typeof rejectionsOf)[Name][number]) => Problems[tag])
]

/** Any query may answer these. */
export const readErrors = [Problems.DatabaseUnavailable, Problems.Overloaded, Problems.Draining]

/** Any query of a view may answer these. */
export const queryErrors = [...readErrors, Problems.InvalidToken, Problems.ProjectionBehind]

/** A read of an aggregate, which its actor answers, may fail as a command may. */
export const entityErrors = [...readErrors, Problems.InvalidToken, Problems.OutcomeUnknown, Problems.AggregateSuspended]
