/**
 * Says who a caller is, by the token or API key that they send. Where it is not provided, nobody is asked who they are,
 * and everybody is an operator.
 */
import { Context, type Effect } from "effect"
import type { CustomerId } from "../order/OrderId.ts"
import type { IdentityUnavailable, Unauthorized } from "./IdentityErrors.ts"

/** A customer acts on orders of their own, an operator of the shop on all, an admin on the server, too. */
export const roles = ["customer", "operator", "admin"] as const
export type Role = (typeof roles)[number]

export interface Principal {
  /** It is kept with the events. No two callers have the same, whatever names they gave themselves. */
  readonly actor: string
  readonly role: Role
  /** The customer that a customer is; nobody else has one. */
  readonly customerId?: CustomerId
  /** An API key may do only this; whoever has none may do all that their role may. */
  readonly scopes?: ReadonlyArray<string>
  /** In milliseconds since 1970. */
  readonly expiresAt?: number
}

export interface IdentityService {
  readonly identify: (credential: string) => Effect.Effect<Principal, Unauthorized | IdentityUnavailable>
  /** Ends when the credential is no longer good, so that what was begun with it can end as well. */
  readonly ended: (credential: string, principal: Principal) => Effect.Effect<void>
  /** Requests that need one of these scopes are answered to everybody. */
  readonly open: ReadonlyArray<string>
}

export const Identity = Context.Reference<IdentityService | undefined>("ordinal/identity/Identity", {
  defaultValue: () => undefined
})
