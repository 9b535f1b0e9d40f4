/** Signs tokens with the server's own secret, for trials and for the first admin: `ordinal token`. */
import { Clock, Duration, Effect, Redacted } from "effect"
import { SignJWT } from "jose"
import type { Role } from "./Identity.ts"

export interface TokenRequest {
  readonly role: Role
  /** The customer's id, if the role is customer. */
  readonly subject: string
  readonly lasts: Duration.Duration
  readonly secret: Redacted.Redacted
  readonly issuer?: string
  readonly audience?: string
}

export const sign = Effect.fnUntraced(function* ({ audience, issuer, lasts, role, secret, subject }: TokenRequest) {
  const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
  const token = new SignJWT({
    sub: subject,
    role,
    iat: now,
    exp: now + Math.ceil(Duration.toSeconds(lasts)),
    ...(issuer === undefined ? {} : { iss: issuer }),
    ...(audience === undefined ? {} : { aud: audience })
  }).setProtectedHeader({ alg: "HS256", typ: "JWT" })
  return yield* Effect.promise(() => token.sign(new TextEncoder().encode(Redacted.value(secret))))
})
