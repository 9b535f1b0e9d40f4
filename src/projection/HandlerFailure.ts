/** Says whose fault it is that a handler of an embedder fails: the database's, the environment's, or else the events'. */
import { Cause, Effect } from "effect"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { HandlerOverdue, Retry } from "./ProjectionErrors.ts"

type Failure = SqlError | Retry | HandlerOverdue

const hasRetryAfter = (error: unknown): error is { readonly retryAfter: number } =>
  typeof error === "object" && error !== null && "retryAfter" in error && typeof error.retryAfter === "number"

const isNoFailure = (reason: Cause.Reason<unknown>): reason is Cause.Reason<never> => !Cause.isFailReason(reason)

const of = (cause: Cause.Cause<unknown>): Effect.Effect<never, Failure> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.die(new Error("The handler interrupted itself."))
  const failure = cause.reasons.find(Cause.isFailReason)
  if (failure === undefined) return Effect.failCause(Cause.fromReasons<never>(cause.reasons.filter(isNoFailure)))
  const { error } = failure
  if (isSqlError(error) || error instanceof Retry || error instanceof HandlerOverdue) return Effect.fail(error)
  return hasRetryAfter(error)
    ? Effect.fail(new Retry({ retryAfter: error.retryAfter, cause: error }))
    : Effect.die(error)
}

/** Leaves SQL errors and requests for another try as they are; whatever else the handler fails with is a defect. */
export const classified = <A, E, R>(handler: Effect.Effect<A, E, R>): Effect.Effect<A, Failure, R> =>
  Effect.catchCause(handler, of)
