/** Sends again what may be sent again: as often as said, after what the server asks for, with jitter. */
import { Effect, Random } from "effect"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { OutcomeUnknown, Overloaded } from "../../eventstore/EventStoreErrors.ts"
import { AggregateSuspended, Draining } from "../../aggregate/SendError.ts"
import { ServerUnreachable } from "../../orders/ServerUnreachable.ts"

/** Not a view that is behind: how long to wait for that, the caller has said. */
const transient = [
  Overloaded,
  DatabaseUnavailable,
  OutcomeUnknown,
  Draining,
  AggregateSuspended,
  ServerUnreachable
] as const

/** Who has to wait longer should decide about it. In seconds. */
const longestWait = 5

const waitOf = (error: unknown): number | undefined => {
  for (const kind of transient) {
    if (error instanceof kind && error.retryAfter <= longestWait) return error.retryAfter
  }
  return undefined
}

export const retry = <A, E, R>(call: Effect.Effect<A, E, R>, times: number): Effect.Effect<A, E, R> =>
  Effect.catch(call, (error) => {
    const seconds = times > 0 ? waitOf(error) : undefined
    if (seconds === undefined) return Effect.fail(error)
    const pause = Effect.flatMap(Random.nextBetween(1, 1.25), (jitter) => Effect.sleep(seconds * jitter * 1000))
    return Effect.andThen(pause, retry(call, times - 1))
  })
