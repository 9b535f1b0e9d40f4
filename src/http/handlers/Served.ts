/** For a server whose order service is itself a client of another one (a gateway). */
import { Effect } from "effect"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { ServerUnreachable } from "../../orders/OrdersError.ts"

const isUnreachable = (error: unknown): error is ServerUnreachable => error instanceof ServerUnreachable

/** Its callers need not know where the orders are kept: certainly nothing was done, and it may be tried again. */
export const served = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, Exclude<E, ServerUnreachable> | DatabaseUnavailable, R> =>
  Effect.mapError(effect, (error) =>
    isUnreachable(error)
      ? new DatabaseUnavailable({ retryAfter: error.retryAfter, cause: error })
      : (error as Exclude<E, ServerUnreachable>)
  )
