/**
 * Says what a hot route has found out about a request before it left the request to its endpoint, which does not do it
 * again: the body can be read only once, and a command is sent only once.
 */
import { Context, Effect, type Exit } from "effect"
import type { Refusal } from "../../identity/IdentityErrors.ts"
import type { RateLimited } from "../problems/HttpError.ts"
import type { ReadError } from "../wire/RequestBody.ts"

export interface Attempt {
  /** The guard has let the caller in, or refused them: it is not to judge again what may have been done meanwhile. */
  readonly admission?: "granted" | Refusal | RateLimited
  readonly body?: Effect.Effect<string, ReadError>
  /** The service has answered this to what the endpoint would ask it. */
  readonly outcome?: Exit.Exit<unknown, unknown>
}

export const Attempt = Context.Reference<Attempt>("ordinal/http/handlers/Attempt", { defaultValue: () => ({}) })

/** Gives what the service has answered, or asks it. */
export const outcomeOr = <A, E>(ask: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.withFiber((fiber) => (fiber.getRef(Attempt).outcome as Exit.Exit<A, E> | undefined) ?? ask)
