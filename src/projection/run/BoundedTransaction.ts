/**
 * A transaction that is given up after a while (10 s by default), whatever the network does. `Effect.timeout` can't do
 * this, because COMMIT is not interruptible. So the transaction runs in a fiber of its own, and only the waiting is
 * given up.
 *
 * **Gotchas**: a transaction that was given up may still commit. Its caller must bear that, as compare-and-set does.
 */
import { Effect, Exit, Fiber, Schema } from "effect"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { changeOrUnavailable } from "../../database/SqlFailure.ts"
import { ProjectionLimits } from "../ProjectionLimits.ts"

/** The transaction did not end in time; it may have taken effect or not. */
export class TransactionOverdue extends Schema.TaggedError<TransactionOverdue>()("TransactionOverdue", {}) {
  override get message() {
    return "The transaction did not end in time, so it is unknown whether it was committed."
  }
}

const outcome = <A, E>(exit: Exit.Exit<A, E>): Effect.Effect<A, E | TransactionOverdue> =>
  Exit.hasInterrupts(exit) ? Effect.fail(new TransactionOverdue()) : exit

export const bounded = <A, E, R>(transaction: Effect.Effect<A, E, R>): Effect.Effect<A, E | TransactionOverdue, R> =>
  Effect.uninterruptibleMask(
    Effect.fnUntraced(function* (restore) {
      const { transaction: duration } = yield* ProjectionLimits
      const fiber = yield* Effect.forkDetach(transaction, { startImmediately: true })
      return yield* Fiber.await(fiber).pipe(
        Effect.timeoutOrElse({ duration, orElse: () => Effect.fail(new TransactionOverdue()) }),
        restore,
        Effect.onExit((exit) => (Exit.isSuccess(exit) ? Effect.void : Effect.forkDetach(Fiber.interrupt(fiber)))),
        Effect.flatMap(outcome)
      )
    })
  )

/** Fails with `DatabaseUnavailable`, which is `unanswered` where it is unknown whether a transaction was committed. */
export const overdueOrUnavailable = <A, E, R>(
  self: Effect.Effect<A, E | SqlError | TransactionOverdue, R>
): Effect.Effect<A, E | DatabaseUnavailable, R> =>
  Effect.catch(self, (error): Effect.Effect<never, E | DatabaseUnavailable> => {
    if (isSqlError(error)) return changeOrUnavailable(Effect.fail(error))
    if (error instanceof TransactionOverdue)
      return new DatabaseUnavailable({ retryAfter: 1, unanswered: true, cause: error })
    return Effect.fail(error)
  })
