/** Sends again what may be sent again: as often as said, after what the server asks for, with jitter. */
import { Effect, Random } from "effect"
import { isUnavailable } from "../../aggregate/CommandErrors.ts"
import { ServerUnreachable } from "../../orders/OrdersError.ts"

/** Who has to wait longer should decide about it. In seconds. */
const longestWait = 5

/** A view that is behind is not asked again: the caller has said how long to wait for that. */
const waitOf = (error: unknown): number | undefined =>
  (isUnavailable(error) || error instanceof ServerUnreachable) && error.retryAfter <= longestWait
    ? error.retryAfter
    : undefined

export const retry = <A, E, R>(call: Effect.Effect<A, E, R>, times: number): Effect.Effect<A, E, R> =>
  Effect.catch(call, (error) => {
    const seconds = times > 0 ? waitOf(error) : undefined
    if (seconds === undefined) return Effect.fail(error)
    const pause = Effect.flatMap(Random.nextBetween(1, 1.25), (jitter) => Effect.sleep(seconds * jitter * 1000))
    return Effect.andThen(pause, retry(call, times - 1))
  })
