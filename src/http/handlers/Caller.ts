/**
 * Says who sends a request. The guard (`http/guard/Guard`) finds that out where the server asks for tokens; elsewhere the
 * host does, and provides it to the request: in a middleware of its router or of its `HttpApi`. Nobody is known unless one
 * of them says so.
 */
import { Context, type Effect } from "effect"
import type { CustomerId } from "../../order/OrderId.ts"

export interface Caller {
  /** It is kept with the events, and idempotency keys of different actors never meet. */
  readonly actor?: string
  /**
   * Of orders and the catalog, the caller sees and changes only what is this customer's; all of it without this. Aggregates
   * of your own know no owners: guard them yourself.
   */
  readonly owner?: CustomerId
  /** Ends when the caller may no longer listen, as when a token expires: event streams end with it. */
  readonly ended?: Effect.Effect<void>
}

export const Caller = Context.Reference<Caller>("ordinal/http/handlers/Caller", { defaultValue: () => ({}) })
