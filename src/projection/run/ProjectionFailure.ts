/** Tells why an attempt to run a projection ended, and so what follows. Runners, retries and rebuilds ask here. */
import { Cause } from "effect"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { blame, messageOf, sqlState } from "../../database/SqlFailure.ts"
import { CheckpointMoved, ProjectionStopped } from "../Checkpoint.ts"
import { HandlerOverdue, Retry } from "../ProjectionErrors.ts"
import { TransactionOverdue } from "./BoundedTransaction.ts"

export type Failure =
  | SqlError
  | DatabaseUnavailable
  | TransactionOverdue
  | CheckpointMoved
  | ProjectionStopped
  | Retry
  | HandlerOverdue

/**
 * - `moved`: another runner was faster; go on from its checkpoint.
 * - `transient`: the database is at fault, or what a handler needs is away; this passes.
 * - `slow`: a statement, the transaction or a handler ran out of time: the database is at fault, or there was too much to do.
 * - `environment`: permissions, missing tables, limits or internal errors: most likely they pass as well.
 * - `stopped`: going on would be wrong.
 * - `defect`: the projection, the events or this program are at fault.
 */
export type Kind = "interrupted" | "moved" | "transient" | "slow" | "environment" | "stopped" | "defect"

const passing = [DatabaseUnavailable, TransactionOverdue, Retry, HandlerOverdue]

const blameOf = (error: unknown): ReturnType<typeof blame> => {
  if (isSqlError(error)) return blame(error)
  return passing.some((one) => error instanceof one) ? "passing" : "statement"
}

const isSlow = (error: unknown): boolean =>
  error instanceof TransactionOverdue ||
  error instanceof HandlerOverdue ||
  (isSqlError(error) && sqlState(error) === "57014")

/** Tells whether a transaction did not end in time; it may still hold its connection. */
export const isOverdue = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) => Cause.isFailReason(reason) && reason.error instanceof TransactionOverdue)

/** Tells whether a handler asked for another try, or took too long. */
export const isOfHandler = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some(
    (reason) => Cause.isFailReason(reason) && (reason.error instanceof Retry || reason.error instanceof HandlerOverdue)
  )

/** Tells whether a table's definition caused the failure, such as an index whose name the database has already. */
export const isDefinition = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some(
    (reason) =>
      Cause.isFailReason(reason) && isSqlError(reason.error) && /^42(?!501|P01)/.test(sqlState(reason.error) ?? "")
  )

/** Tells whether a lock was not given in time. */
export const isLocked = (error: unknown): boolean => isSqlError(error) && sqlState(error) === "55P03"

/** Classifies a cause. A lost connection also makes the rollback fail, which comes as a defect beside the failure. */
export const kind = (cause: Cause.Cause<unknown>): Kind => {
  if (Cause.hasInterruptsOnly(cause)) return "interrupted"
  const errors = cause.reasons.flatMap((reason) =>
    Cause.isFailReason(reason) ? [reason.error] : Cause.isDieReason(reason) ? [reason.defect] : []
  )
  if (errors.some((error) => error instanceof ProjectionStopped)) return "stopped"
  const others = errors.filter((error) => !(error instanceof CheckpointMoved))
  if (others.length === 0) return "moved"
  const blamed = new Set(others.map(blameOf))
  if (blamed.has("statement")) return "defect"
  if (others.some(isSlow)) return "slow"
  return blamed.has("environment") ? "environment" : "transient"
}

/** Tells whether a failure may be an event's own doing, which only a comparison with other events can tell. */
export const mayBeOwn = (kind: Kind): boolean => kind === "defect" || kind === "environment" || kind === "slow"

/** Gives the reason in one line, for people. */
export const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  if (isSqlError(error)) return messageOf(error).slice(0, 500)
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return (inner instanceof Error ? inner.message : String(inner)).slice(0, 500)
}
