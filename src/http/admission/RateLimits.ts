/**
 * Bounds how many requests a caller, and how many an address, may send in a time: a bucket of tokens for each, which fills
 * again steadily (`effect/persistence` `RateLimiter`). Who has none left is refused before anything is read, with 429. Failed
 * authentications are counted for their address, which is refused for a while once there are too many.
 */
import { Context, Duration, Effect, type Fiber, Layer } from "effect"
import type { HttpServerRequest, HttpServerResponse } from "effect/http"
import { RateLimiter } from "effect/persistence"
import { Caller } from "../handlers/Caller.ts"
import { isLoopback } from "../listener/HostNames.ts"
import { RateLimited } from "../problems/HttpError.ts"
import * as ProblemResponse from "../problems/ProblemResponse.ts"
import { Problems } from "../problems/Problems.ts"
import * as ClientAddress from "./ClientAddress.ts"
import * as RateLimitStore from "./RateLimitStore.ts"

export interface Quotas {
  /** Requests of one caller, or of one address where callers are not known. There is no limit if this is 0; so it is with the others. */
  readonly caller: number
  readonly address: number
  /** Requests of one address that were answered 401. */
  readonly failures: number
  readonly window: Duration.Duration
  /** Who sends a request is found out as it is answered, and counted by `CallerRate`. */
  readonly findsCallers?: boolean
}

export type Headers = Readonly<Record<string, string>>

/** A request is counted for several limits; this is what its answer says of them. */
export interface Counted {
  readonly headers: Headers
  readonly refusal?: RateLimited
}

export interface RateLimitsService {
  /** Counts a request for its address, and for its caller if it is known who that is. */
  readonly request: (address: string, actor: string | undefined) => Effect.Effect<Counted>
  /** Counts a request for a caller who was not known when it came. */
  readonly caller: ((actor: string) => Effect.Effect<Counted>) | undefined
  /** Counts a request that was answered 401. */
  readonly failed: (address: string) => Effect.Effect<void>
  readonly addressOf: (request: HttpServerRequest.HttpServerRequest) => string
  /** Tells whether a proxy has sent it that is not known, so that its address stands for strangers to each other. */
  readonly isShared: (request: HttpServerRequest.HttpServerRequest) => boolean
}

/** There are no limits unless they are provided. */
export const RateLimits = Context.Reference<RateLimitsService | undefined>("ordinal/http/admission/RateLimits", {
  defaultValue: () => undefined
})

/** Whoever finds out who sends a request calls this. It counts each request once. */
export const CallerRate = Context.Reference<(actor: string) => Effect.Effect<void, RateLimited>>(
  "ordinal/http/admission/RateLimits/CallerRate",
  { defaultValue: () => () => Effect.void }
)

const seconds = (duration: Duration.Duration): number => Math.ceil(Duration.toSeconds(duration))

/** Writes the fields of draft-ietf-httpapi-ratelimit-headers-10, in which each limit has a name. */
const headersOf = (
  counts: ReadonlyArray<{
    readonly name: string
    readonly quota: number
    readonly left: number
    readonly reset: number
  }>,
  window: number
): Headers =>
  counts.length === 0
    ? {}
    : {
        "ratelimit-policy": counts.map(({ name, quota }) => `"${name}";q=${quota};w=${window}`).join(", "),
        ratelimit: counts.map(({ left, name, reset }) => `"${name}";r=${left};t=${reset}`).join(", ")
      }

const make = Effect.fnUntraced(function* (quotas: Quotas, proxies: ReadonlyArray<string>) {
  const limiter = yield* RateLimiter.make
  // Every request asks for them, so they are not worth a round trip.
  const failureLimiter = yield* Effect.provide(RateLimiter.make, RateLimitStore.layerMemory())
  const callerAddress = ClientAddress.make(proxies)
  const window = seconds(quotas.window)

  const consume = (name: "caller" | "address" | "failures", key: string, tokens: number) => {
    const quota = quotas[name]
    const counted = (name === "failures" ? failureLimiter : limiter).consume({
      algorithm: "token-bucket",
      key: `${name}:${key}`,
      limit: quota,
      tokens,
      window: quotas.window
    })
    return Effect.matchEffect(counted, {
      onSuccess: ({ remaining, resetAfter }) =>
        Effect.succeed({ name, quota, left: Math.floor(remaining), reset: seconds(resetAfter), isExceeded: false }),
      onFailure: ({ reason }) =>
        reason._tag === "RateLimitExceeded"
          ? Effect.succeed({ name, quota, left: 0, reset: Math.max(1, seconds(reason.retryAfter)), isExceeded: true })
          : Effect.die(reason)
    })
  }

  /** A proxy on this machine that is not trusted stands for everybody, who must not be locked out by one of them. */
  const countsFailures = (address: string) => quotas.failures > 0 && !isLoopback(address)

  const uncounted: Effect.Effect<Counted> = Effect.succeed({ headers: {} })

  const findsCallers = quotas.findsCallers === true && quotas.caller > 0

  const count = Effect.fnUntraced(function* (address: string, actor: string | undefined) {
    const from = ClientAddress.network(address)
    // Nothing is taken here: the bucket is asked whether there is room for another failure.
    const room = countsFailures(address) ? (yield* consume("failures", from, 0)).left : 1
    const others = [
      ...(quotas.address > 0 ? [yield* consume("address", from, 1)] : []),
      ...(quotas.caller > 0 && !(findsCallers && actor === undefined)
        ? [yield* consume("caller", actor === undefined ? `address ${from}` : `actor ${actor}`, 1)]
        : [])
    ]
    const headers = headersOf(others, window)
    if (room < 1) {
      return {
        headers,
        refusal: new RateLimited({ limit: "failures", retryAfter: Math.ceil(window / quotas.failures) })
      }
    }
    const exceeded = others.find(({ isExceeded }) => isExceeded)
    if (exceeded === undefined) return { headers }
    return { headers, refusal: new RateLimited({ limit: exceeded.name, retryAfter: exceeded.reset }) }
  })

  const service: RateLimitsService = {
    isShared: ({ headers }) => proxies.length === 0 && headers["x-forwarded-for"] !== undefined,
    addressOf: ({ headers, remoteAddress }) =>
      callerAddress(remoteAddress._tag === "Some" ? remoteAddress.value : "", headers["x-forwarded-for"]),
    request: (address, actor) =>
      quotas.address + quotas.caller > 0 || countsFailures(address) ? count(address, actor) : uncounted,
    caller: findsCallers
      ? (actor) =>
          Effect.map(consume("caller", `actor ${actor}`, 1), (counted) => {
            const headers = headersOf([counted], window)
            if (!counted.isExceeded) return { headers }
            return { headers, refusal: new RateLimited({ limit: "caller", retryAfter: counted.reset }) }
          })
      : undefined,
    failed: (address) =>
      countsFailures(address) ? Effect.asVoid(consume("failures", ClientAddress.network(address), 1)) : Effect.void
  }
  return service
})

const both = (one: Headers, other: Headers): Headers =>
  Object.fromEntries(
    Object.entries(other).map(([name, value]) => [name, one[name] === undefined ? value : `${one[name]}, ${value}`])
  )

/** Counts the caller of one request, once. */
const callerRate = (count: (actor: string) => Effect.Effect<Counted>, keep: (headers: Headers) => unknown) => {
  let counted: Counted | undefined
  const judge = ({ refusal }: Counted) => (refusal === undefined ? Effect.void : Effect.fail(refusal))
  return (actor: string) =>
    counted === undefined
      ? Effect.flatMap(count(actor), (found) => {
          counted = found
          keep(found.headers)
          return judge(found)
        })
      : judge(counted)
}

/** Has a request answered if it may be; `keep` gets the headers that its answer is to have. */
export const admit = <A extends { readonly status: number }, E, R>(
  limits: RateLimitsService,
  request: HttpServerRequest.HttpServerRequest,
  fiber: Fiber.Fiber<unknown, unknown>,
  answer: () => Effect.Effect<A, E, R>,
  keep: (headers: Headers) => unknown
) => {
  type Answer = Effect.Effect<A | HttpServerResponse.HttpServerResponse, E, R>
  const address = limits.addressOf(request)
  return Effect.flatMap(limits.request(address, fiber.getRef(Caller).actor), ({ headers, refusal }): Answer => {
    keep(headers)
    if (refusal !== undefined) return Effect.succeed(ProblemResponse.of(Problems.RateLimited, refusal))
    if (limits.caller !== undefined) {
      const rate = callerRate(limits.caller, (more) => keep(both(headers, more)))
      fiber.setContext(Context.add(fiber.context, CallerRate, rate))
    }
    // One stranger behind a proxy that is not known must not have all others there refused.
    const counts = (status: number) => status === 401 && !limits.isShared(request)
    return Effect.tap(answer(), ({ status }) => (counts(status) ? limits.failed(address) : Effect.void))
  })
}

/** Needs a store of `RateLimiter`: the memory of this process, or a Redis that several share. Failures stay in memory. */
export const layer = (quotas: Quotas, proxies: ReadonlyArray<string>) => Layer.effect(RateLimits, make(quotas, proxies))
