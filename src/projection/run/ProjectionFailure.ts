/** Why an attempt to run a projection ended, and what follows from it. */
import { Cause } from "effect"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { classify, messageOf, sqlState } from "../../database/SqlFailure.ts"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { TransactionOverdue } from "./BoundedTransaction.ts"
import { CheckpointMoved, CheckpointRefused } from "../Checkpoint.ts"
import { ProjectionBroken } from "./ProjectionBroken.ts"

export type Failure =
  | SqlError
  | DatabaseUnavailable
  | TransactionOverdue
  | CheckpointMoved
  | CheckpointRefused
  | ProjectionBroken

/**
 * - `moved`: another runner was faster; go on from its checkpoint.
 * - `transient`: the database's fault; it passes.
 * - `slow`: a statement or the transaction ran out of time. The database's fault, or there was too much to do.
 * - `refused`: going on would be wrong.
 * - `defect`: the projection, the events or this program are at fault.
 */
export type Kind = "interrupted" | "moved" | "transient" | "slow" | "refused" | "defect"

const isTransient = (error: unknown): boolean => {
  if (isSqlError(error)) return ["lost", "transient"].includes(classify(error))
  return error instanceof DatabaseUnavailable || error instanceof TransactionOverdue
}

const isSlow = (error: unknown): boolean =>
  error instanceof TransactionOverdue || (isSqlError(error) && sqlState(error) === "57014")

/** The transaction did not end in time, and may still hold its connection. */
export const isOverdue = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) => Cause.isFailReason(reason) && reason.error instanceof TransactionOverdue)

/** A lock was waited for in vain. */
export const isLocked = (error: unknown): boolean => isSqlError(error) && sqlState(error) === "55P03"

/** A lost connection also makes the rollback fail, which comes as a defect beside the failure. */
export const kind = (cause: Cause.Cause<unknown>): Kind => {
  if (Cause.hasInterruptsOnly(cause)) return "interrupted"
  const errors = cause.reasons.flatMap((reason) =>
    Cause.isFailReason(reason) ? [reason.error] : Cause.isDieReason(reason) ? [reason.defect] : []
  )
  if (errors.some((error) => error instanceof CheckpointRefused || error instanceof ProjectionBroken)) return "refused"
  if (errors.every((error) => error instanceof CheckpointMoved || isTransient(error))) {
    if (errors.some(isSlow)) return "slow"
    return errors.every((error) => error instanceof CheckpointMoved) ? "moved" : "transient"
  }
  return "defect"
}

/** In one line, for people. */
export const reasonOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  if (isSqlError(error)) return messageOf(error).slice(0, 500)
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error
  return (inner instanceof Error ? inner.message : String(inner)).slice(0, 500)
}
