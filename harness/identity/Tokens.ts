/** Makes tokens as an issuer does, and the identity of a server that takes them. */
import { Effect, Redacted } from "effect"
import { type JWTPayload, SignJWT } from "jose"
import * as Identities from "../../src/identity/Identities.ts"
import type { IdentityService } from "../../src/identity/Identity.ts"
import { Unauthorized } from "../../src/identity/IdentityErrors.ts"
import * as JsonWebTokens from "../../src/identity/JsonWebTokens.ts"
import * as SigningKeys from "../../src/identity/SigningKeys.ts"

export const secret = "a secret that only the tests know of, long enough for every algorithm of HMAC"
export const issuer = "https://issuer.example"
export const audience = "ordinal"

export const secondsNow = (): number => Math.floor(Date.now() / 1000)

/** Signs these claims, besides those that every token needs. */
export const token = (claims: JWTPayload, key = secret): Promise<string> =>
  new SignJWT({ iss: issuer, aud: audience, exp: secondsNow() + 3600, ...claims })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .sign(new TextEncoder().encode(key))

export const customer = (id: string) => token({ sub: id, role: "customer" })
export const operator = () => token({ sub: "olga", role: "operator" })
export const admin = () => token({ sub: "anna", role: "admin" })

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** Takes the tokens of this issuer, and API keys if somebody can tell whose they are. */
export const identity = (
  key: Identities.Verifiers["key"] = () => Effect.fail(new Unauthorized({ reason: "invalid" }))
): IdentityService =>
  Identities.make({
    token: JsonWebTokens.make({ keys: SigningKeys.ofSecret(Redacted.make(secret)), issuer, audience }),
    key
  })
