/**
 * Keeps the keys that tokens are verified with: a secret, or those that an issuer publishes at a URL (JWKS, RFC 7517).
 *
 * Published keys are fetched every 10 minutes, and at once for a token that names an unknown one, but not more often than
 * every 30 s. While they can't be fetched, the last ones count.
 */
import { Effect, Redacted, Semaphore } from "effect"
import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from "jose"
import * as MonotonicClock from "../supervision/MonotonicClock.ts"
import { supervise } from "../supervision/Supervisor.ts"
import { IdentityUnavailable } from "./IdentityErrors.ts"

export interface SigningKeys {
  readonly algorithms: Array<string>
  /** Answers the key of a token's header. */
  readonly current: Effect.Effect<JWTVerifyGetKey, IdentityUnavailable>
  /** Does so after looking whether there are newer keys. */
  readonly renewed: Effect.Effect<JWTVerifyGetKey, IdentityUnavailable>
}

export const ofSecret = (secret: Redacted.Redacted): SigningKeys => {
  const bytes = new TextEncoder().encode(Redacted.value(secret))
  const current = Effect.succeed<JWTVerifyGetKey>(() => Promise.resolve(bytes))
  return { algorithms: ["HS256"], current, renewed: current }
}

const every = 600_000
const atMostEvery = 30_000
const patience = 5_000
const maxBytes = 1024 * 1024

const fetchText = async (url: string, signal: AbortSignal): Promise<string> => {
  const response = await fetch(url, {
    signal,
    redirect: "error",
    headers: { accept: "application/json" }
  })
  if (response.status !== 200 || response.body === null) throw new Error(`${url} answered ${response.status}.`)
  const chunks: Array<Uint8Array> = []
  let bytes = 0
  for await (const chunk of response.body) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new Error(`${url} answered more than ${maxBytes} bytes.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

const keysIn = (text: string): JWTVerifyGetKey => {
  const published = JSON.parse(text) as JSONWebKeySet
  const keys = createLocalJWKSet(published)
  if (published.keys.length === 0) throw new Error("The issuer publishes no keys.")
  return keys
}

const fetchKeys = (url: string) => {
  const failure = (cause: unknown) => new Error(`The signing keys of ${url} can't be had.`, { cause })
  return Effect.tryPromise({ try: async (signal) => keysIn(await fetchText(url, signal)), catch: failure }).pipe(
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => Effect.fail(failure(new Error(`There was no answer within ${patience} ms.`)))
    })
  )
}

/** Signatures by a shared secret are not among these: a published key is no secret. */
const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"]

/** Fetches the keys in the background until the scope closes. */
export const published = Effect.fnUntraced(function* (url: string) {
  const one = yield* Semaphore.make(1)
  let keys: JWTVerifyGetKey | undefined
  let triedAt = -Infinity
  let fetchedAt = -Infinity

  const fetchNow = Effect.gen(function* () {
    keys = yield* fetchKeys(url)
    fetchedAt = yield* MonotonicClock.millis
  }).pipe(
    // The end of a try counts: whoever has waited for it must not begin another.
    Effect.ensuring(Effect.map(MonotonicClock.millis, (now) => (triedAt = now)))
  )
  /** Fetches if it is late for that; whoever asks meanwhile waits for the same answer. */
  const fetchIfLate = (isLate: (now: number) => boolean) =>
    Effect.flatMap(MonotonicClock.millis, (now) => (isLate(now) ? fetchNow : Effect.void)).pipe(
      Effect.tapError((error) =>
        Effect.logWarning(`${error.message}${keys === undefined ? "" : " The last ones count."}`, error)
      ),
      one.withPermits(1)
    )
  const known = Effect.suspend(() =>
    keys === undefined ? Effect.fail(new IdentityUnavailable({ retryAfter: 1 })) : Effect.succeed(keys)
  )
  const afterTryingEvery = (millis: number) =>
    Effect.andThen(Effect.ignore(fetchIfLate((now) => now - triedAt >= millis)), known)

  const refresh = fetchIfLate((now) => now - fetchedAt >= every && now - triedAt >= 1_000)
  yield* supervise("signing keys", Effect.forever(Effect.andThen(refresh, Effect.sleep(atMostEvery))))
  const current = Effect.suspend(() => (keys === undefined ? afterTryingEvery(1_000) : Effect.succeed(keys)))
  return { algorithms, current, renewed: afterTryingEvery(atMostEvery) } satisfies SigningKeys
})
