/**
 * Makes the `Identity` of verifiers of tokens and API keys. Who was verified is remembered for a few seconds, so that a
 * request costs no signature and no query; of a credential, only a hash is kept.
 */
import { hash } from "node:crypto"
import { Clock, Effect, Exit, Cause, Option } from "effect"
import * as MonotonicClock from "../supervision/MonotonicClock.ts"
import type { IdentityService, Principal } from "./Identity.ts"
import { type IdentityUnavailable, Unauthorized } from "./IdentityErrors.ts"

type Verify = (credential: string) => Effect.Effect<Principal, Unauthorized | IdentityUnavailable>

export interface Verifiers {
  readonly token: Verify
  readonly key: Verify
}

/** A key that is revoked counts for so many milliseconds at most. */
export const freshFor = 10_000
/** So many callers are remembered. */
const most = 10_000
const maxLength = 8 * 1024

const keyPrefix = "ordk_"
export const isKey = (credential: string): boolean => credential.startsWith(keyPrefix)

export const make = ({ key, token }: Verifiers, open: ReadonlyArray<string> = []): IdentityService => {
  const known = new Map<string, { readonly principal: Principal; readonly until: number }>()

  const identify: IdentityService["identify"] = (credential) =>
    Clock.clockWith((clock) => {
      const now = MonotonicClock.millisUnsafe(clock)
      if (credential.length > maxLength) return Effect.fail(new Unauthorized({ reason: "invalid" }))
      const id = hash("sha256", credential, "base64url")
      const found = known.get(id)
      const isGood = found !== undefined && clock.currentTimeMillisUnsafe() < (found.principal.expiresAt ?? Infinity)
      if (isGood && now < found.until) return Effect.succeed(found.principal)
      known.delete(id)
      return Effect.map((isKey(credential) ? key : token)(credential), (principal) => {
        const [oldest] = known.size < most ? [] : known.keys()
        if (oldest !== undefined) known.delete(oldest)
        known.set(id, { principal, until: now + freshFor })
        return principal
      })
    })

  /** A token is good until it expires; a key may be revoked before, so it is looked at again and again. */
  const ended: IdentityService["ended"] = (credential, { expiresAt = Infinity }) =>
    Effect.gen(function* () {
      while (true) {
        const left = expiresAt - (yield* Clock.currentTimeMillis)
        if (left <= 0) return
        yield* Effect.sleep(Math.min(left, isKey(credential) ? freshFor : 3_600_000))
        if (!isKey(credential)) continue
        const exit = yield* Effect.exit(key(credential))
        const error = Exit.isFailure(exit) ? Cause.findErrorOption(exit.cause) : Option.none()
        if (Option.isSome(error) && error.value._tag === "Unauthorized") return
      }
    })

  return { identify, ended, open }
}
