import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Exit, Fiber, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from "jose"
import { createServer, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import * as DevelopmentTokens from "../../../src/identity/DevelopmentTokens.ts"
import * as Identities from "../../../src/identity/Identities.ts"
import { type Principal, roles } from "../../../src/identity/Identity.ts"
import { IdentityUnavailable, Unauthorized } from "../../../src/identity/IdentityErrors.ts"
import * as JsonWebTokens from "../../../src/identity/JsonWebTokens.ts"
import * as SigningKeys from "../../../src/identity/SigningKeys.ts"
import { kinds } from "../../../harness/identity/BadCredentials.ts"
import { audience, issuer, secondsNow, secret, token } from "../../../harness/identity/Tokens.ts"

const verify = JsonWebTokens.make({ keys: SigningKeys.ofSecret(Redacted.make(secret)), issuer, audience })

/** The tokens of these tests are of the machine's time. */
const now = Effect.suspend(() => TestClock.setTime(secondsNow() * 1000))

const asked = (claims: Parameters<typeof token>[0]) =>
  Effect.gen(function* () {
    yield* now
    return yield* Effect.exit(verify(yield* Effect.promise(() => token(claims))))
  })

describe("the claims of a token", () => {
  it.effect("say who it is", () =>
    Effect.gen(function* () {
      const exp = secondsNow() + 600
      const expiresAt = (exp + 30) * 1000
      const cases: ReadonlyArray<readonly [claims: object, principal: object]> = [
        [
          { sub: "ada", role: "customer" },
          { actor: "customer:ada", role: "customer", customerId: "ada" }
        ],
        [
          { sub: "auth0|1", role: "customer", customer_id: "ada" },
          { actor: "customer:ada:auth0|1", role: "customer", customerId: "ada" }
        ],
        [
          { sub: "olga", roles: ["customer", "operator"] },
          { actor: "operator:olga", role: "operator" }
        ],
        [
          { sub: "anna", roles: ["admin"], role: "customer" },
          { actor: "admin:anna", role: "admin" }
        ]
      ]
      for (const [claims, principal] of cases) {
        assert.deepStrictEqual(yield* asked({ ...claims, exp }), Exit.succeed({ ...principal, expiresAt } as Principal))
      }
      const none = [
        { sub: "ada" },
        { sub: "a b", role: "customer" },
        { sub: "ada", role: "customer", customer_id: 7 },
        { sub: "ada", role: "customer", customer_id: null }
      ]
      for (const claims of none) {
        assert.deepStrictEqual(yield* asked(claims), Exit.fail(new Unauthorized({ reason: "invalid" })))
      }
    })
  )

  it.effect("are those of a token that `ordinal token` makes", () =>
    Effect.gen(function* () {
      yield* now
      const made = yield* DevelopmentTokens.sign({
        role: "operator",
        subject: "developer",
        lasts: Duration.hours(1),
        secret: Redacted.make(secret),
        issuer,
        audience
      })
      assert.strictEqual((yield* verify(made)).actor, "operator:developer")
    })
  )

  it.effect("count by a clock that may differ by 30 s", () =>
    Effect.gen(function* () {
      const good = { sub: "ada", role: "customer" }
      const seconds = secondsNow()
      assert.isTrue(Exit.isSuccess(yield* asked({ ...good, exp: seconds - 20 })))
      assert.deepStrictEqual(
        yield* asked({ ...good, exp: seconds - 40 }),
        Exit.fail(new Unauthorized({ reason: "expired" }))
      )
      assert.isTrue(Exit.isSuccess(yield* asked({ ...good, nbf: seconds + 20 })))
      assert.isTrue(Exit.isFailure(yield* asked({ ...good, nbf: seconds + 60 })))
    })
  )
})

describe("who was verified", () => {
  const principal = { actor: "operator:olga", role: "operator" } as const

  it.effect("is remembered for 10 s, and never beyond the token's end", () =>
    Effect.gen(function* () {
      let verified = 0
      const { identify } = Identities.make({
        token: () => Effect.sync(() => ((verified += 1), { ...principal, expiresAt: 15_000 })),
        key: () => Effect.die("no key")
      })
      yield* identify("one")
      yield* identify("one")
      assert.strictEqual(verified, 1)
      yield* identify("two")
      yield* TestClock.adjust("10 seconds")
      yield* identify("one")
      assert.strictEqual(verified, 3)
      yield* TestClock.adjust("5 seconds")
      yield* identify("one")
      assert.strictEqual(verified, 4)
    })
  )

  it.effect("is over when the token ends, or once the key is revoked; not while the keys can't be read", () =>
    Effect.gen(function* () {
      let answer: Effect.Effect<Principal, Unauthorized | IdentityUnavailable> = Effect.succeed(principal)
      const { ended } = Identities.make({
        token: () => Effect.die("no token"),
        key: () => Effect.suspend(() => answer)
      })
      const token = yield* Effect.forkChild(ended("token", { ...principal, expiresAt: 90_000_000 }))
      const key = yield* Effect.forkChild(ended("ordk_1", principal))
      yield* TestClock.adjust("1 minute")
      answer = Effect.fail(new IdentityUnavailable({ retryAfter: 1 }))
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(key.pollUnsafe())
      answer = Effect.fail(new Unauthorized({ reason: "invalid" }))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.await(key)
      yield* TestClock.adjust("24 hours")
      assert.isUndefined(token.pollUnsafe())
      yield* TestClock.adjust("1 hour")
      yield* Fiber.await(token)
    })
  )
})

describe("a key", () => {
  it.effect("that is revoked is refused within 10 s where it is remembered, though the clock is set back", () =>
    Effect.gen(function* () {
      yield* now
      let answer: Effect.Effect<Principal, Unauthorized> = Effect.succeed({ actor: "key:1", role: "operator" })
      const { identify } = Identities.make({
        token: () => Effect.die("no token"),
        key: () => Effect.suspend(() => answer)
      })
      yield* identify("ordk_1")
      answer = Effect.fail(new Unauthorized({ reason: "invalid" }))
      yield* TestClock.adjust("9 seconds")
      yield* identify("ordk_1")
      const clock = yield* Clock.Clock
      const hourAgo = { ...clock, currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() - 3_600_000 }
      yield* TestClock.adjust("1 second")
      const late = yield* Effect.flip(Effect.provideService(identify("ordk_1"), Clock.Clock, hourAgo))
      assert.strictEqual(late._tag, "Unauthorized")
    })
  )
})

/** Serves something on a free port until the test ends. */
const serve = Effect.fnUntraced(function* (answer: RequestListener) {
  const server = createServer(answer)
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void))),
    () =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  )
  const { port } = server.address() as AddressInfo
  return `http://127.0.0.1:${port}/keys`
})

describe("the keys that an issuer publishes", () => {
  const signedBy = (key: CryptoKey, kid: string) =>
    new SignJWT({ sub: "olga", role: "operator", iss: issuer, aud: audience, exp: secondsNow() + 600 })
      .setProtectedHeader({ alg: "ES256", kid })
      .sign(key)

  it.effect("are fetched when a token names a new one, and the last ones count while the issuer is away", () =>
    Effect.gen(function* () {
      yield* now
      const [first, second] = yield* Effect.promise(() =>
        Promise.all([generateKeyPair("ES256", { extractable: true }), generateKeyPair("ES256", { extractable: true })])
      )
      const publicKey = (key: CryptoKey, kid: string) =>
        Effect.promise(async () => ({ ...(await exportJWK(key)), kid, alg: "ES256", use: "sig" }))
      const one = yield* publicKey(first.publicKey, "1")
      const two = yield* publicKey(second.publicKey, "2")
      let published: unknown = undefined
      let asked = 0
      const url = yield* serve((_, response) => {
        asked += 1
        response.writeHead(published === undefined ? 500 : 200).end(JSON.stringify(published))
      })
      const keys = yield* SigningKeys.published(url)
      const verify = JsonWebTokens.make({ keys, issuer, audience })
      const [byFirst, bySecond] = yield* Effect.promise(() =>
        Promise.all([signedBy(first.privateKey, "1"), signedBy(second.privateKey, "2")])
      )
      assert.deepStrictEqual(yield* Effect.flip(verify(byFirst)), new IdentityUnavailable({ retryAfter: 1 }))
      published = { keys: [one] }
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* verify(byFirst)).actor, "operator:olga")
      assert.strictEqual((yield* Effect.flip(verify(bySecond)))._tag, "Unauthorized")
      published = { keys: [two] }
      const before = asked
      assert.strictEqual((yield* Effect.flip(verify(bySecond)))._tag, "Unauthorized")
      assert.strictEqual(asked, before, "an unknown key had the issuer asked at once again")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* verify(bySecond)).actor, "operator:olga")
      for (const nothing of [undefined, { keys: [] }]) {
        published = nothing
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual((yield* Effect.flip(verify(byFirst)))._tag, "Unauthorized")
        assert.strictEqual((yield* verify(bySecond)).actor, "operator:olga")
      }
      for (const [kind, make] of Object.entries(kinds)) {
        for (const role of roles) {
          const forged = yield* Effect.promise(async () => make(1, role))
          assert.strictEqual((yield* Effect.flip(verify(forged)))._tag, "Unauthorized", kind)
        }
      }
      const shared = yield* Effect.promise(() =>
        new SignJWT({ sub: "olga", role: "operator", iss: issuer, aud: audience, exp: secondsNow() + 600 })
          .setProtectedHeader({ alg: "HS256", kid: "2" })
          .sign(new TextEncoder().encode(JSON.stringify(two)))
      )
      assert.strictEqual((yield* Effect.flip(verify(shared)))._tag, "Unauthorized")
    })
  )

  it.effect("may not come for 5 s: whoever asks meanwhile is answered then, and not after tries of their own", () =>
    Effect.gen(function* () {
      yield* now
      const keys = yield* SigningKeys.published(yield* serve(() => {}))
      const asked = yield* Effect.forEach(Array(20).keys(), () => Effect.forkChild(Effect.flip(keys.current)))
      yield* TestClock.adjust("5 seconds")
      for (const fiber of asked) {
        assert.deepStrictEqual(yield* Fiber.join(fiber), new IdentityUnavailable({ retryAfter: 1 }))
      }
    })
  )
})
