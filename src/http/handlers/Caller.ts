/**
 * Says who sends a request. The host finds that out, and provides it to the request: in a middleware of its router or of its
 * `HttpApi`. Nobody is known unless the host says so.
 */
import { Context } from "effect"

export interface Caller {
  /** It is kept with the events, and idempotency keys of different actors never meet. */
  readonly actor?: string
}

export const Caller = Context.Reference<Caller>("ordinal/http/handlers/Caller", { defaultValue: () => ({}) })
