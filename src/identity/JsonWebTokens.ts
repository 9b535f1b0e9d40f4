/**
 * Verifies bearer tokens (JWT, RFC 7519): signature, algorithm, issuer, audience and time. The library compares
 * signatures in constant time.
 *
 * `sub` says who it is. `role`, or `roles`, holds customer, operator or admin, of which the strongest counts. A customer's
 * id is `customer_id`, or `sub` without it.
 */
import { Clock, Effect } from "effect"
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from "jose"
import { CustomerId } from "../order/OrderId.ts"
import { type Principal, type Role, roles } from "./Identity.ts"
import { IdentityUnavailable, Unauthorized } from "./IdentityErrors.ts"
import type { SigningKeys } from "./SigningKeys.ts"

export interface TokenOptions {
  readonly keys: SigningKeys
  readonly issuer?: string
  readonly audience?: string
}

/** Clocks may differ by so many seconds. */
export const skew = 30

/** The longest actor that is made of it can be kept with an event. */
const subject = /^[^\p{C}]{1,100}$/u
const customerId = /^[A-Za-z0-9_-]{1,64}$/u

const roleOf = ({ role, roles: list }: JWTPayload): Role | undefined => {
  const named = new Set<unknown>([role, ...(Array.isArray(list) ? list : [list])])
  return roles.findLast((role) => named.has(role))
}

/** Makes who it is of what a verified token says; `undefined` if it does not say who. */
export const principalOf = (claims: JWTPayload): Principal | undefined => {
  const { customer_id: named, exp, sub } = claims
  const role = roleOf(claims)
  if (role === undefined || exp === undefined || typeof sub !== "string" || !subject.test(sub)) return undefined
  const expiresAt = (exp + skew) * 1000
  if (role !== "customer") return { actor: `${role}:${sub}`, role, expiresAt }
  // An id that is null stands for a customer who is not known yet, and not for the one whose id `sub` happens to be.
  const id = named === undefined ? sub : named
  if (typeof id !== "string" || !customerId.test(id)) return undefined
  return {
    actor: id === sub ? `customer:${id}` : `customer:${id}:${sub}`,
    role,
    customerId: CustomerId.make(id),
    expiresAt
  }
}

const refusalOf = (error: unknown) =>
  new Unauthorized({ reason: error instanceof errors.JWTExpired ? "expired" : "invalid" })

export const make =
  ({ audience, issuer, keys }: TokenOptions) =>
  (token: string): Effect.Effect<Principal, Unauthorized | IdentityUnavailable> =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const options = {
        algorithms: keys.algorithms,
        clockTolerance: skew,
        requiredClaims: ["exp", "sub"],
        currentDate: new Date(now),
        ...(issuer === undefined ? {} : { issuer }),
        ...(audience === undefined ? {} : { audience })
      }
      const verifyBy = (find: JWTVerifyGetKey) =>
        Effect.tryPromise({ try: () => jwtVerify(token, find, options), catch: (error) => error })
      const { payload } = yield* Effect.flatMap(keys.current, verifyBy).pipe(
        Effect.catchIf(
          (error) => error instanceof errors.JWKSNoMatchingKey,
          () => Effect.flatMap(keys.renewed, verifyBy)
        ),
        Effect.mapError((error) => (error instanceof IdentityUnavailable ? error : refusalOf(error)))
      )
      return principalOf(payload) ?? (yield* new Unauthorized({ reason: "invalid" }))
    })
