/**
 * A transaction that is given up after a while (10 s by default), whatever the network does. `Effect.timeout` can't do
 * it: COMMIT is not interruptible. So it runs in a fiber of its own, and what is given up is only the waiting for it.
 *
 * **Gotchas**: a transaction that was given up may still commit. Whoever uses this must bear it, as compare-and-set does.
 */
import { Effect, Exit, Fiber, Schema } from "effect"
import { ProjectionLimits } from "../ProjectionLimits.ts"

/** The transaction did not end in time; it may have taken effect or not. */
export class TransactionOverdue extends Schema.TaggedError<TransactionOverdue>()("TransactionOverdue", {}) {
  override get message() {
    return "a transaction did not end in time; it is unknown whether it was committed"
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
