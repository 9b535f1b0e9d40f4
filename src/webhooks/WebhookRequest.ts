/**
 * Sends one signed request to an endpoint and says what became of it; it never fails. `Deliveries` decides what follows.
 *
 * It follows no redirect, connects only to addresses that `PublicAddresses` has judged for this very connection, reads only
 * so much of an answer as a connection that is to be used again needs, and ends in time whatever the receiver does.
 */
import { Clock, Duration, Effect, Schema } from "effect"
import * as http from "node:http"
import * as https from "node:https"
import { make as makeAddresses, Resolver } from "./PublicAddresses.ts"
import * as Signatures from "./Signatures.ts"
import { WebhookOptions } from "./WebhookOptions.ts"

export interface Message {
  readonly url: string
  readonly secrets: ReadonlyArray<string>
  readonly id: string
  readonly body: string
}

/**
 * What became of a request. The receiver wants to be left alone for `retryAfter` seconds (429 or 503), or, if it `isGone`, for
 * ever (410).
 */
export type Answer =
  | { readonly isDelivered: true; readonly status: number }
  | {
      readonly isDelivered: false
      readonly status?: number
      readonly problem: string
      readonly retryAfter?: number
      readonly isGone?: true
    }

/** What an answer may hold before its connection is closed rather than used again. */
const maxAnswerBytes = 16 * 1024

/** So long may a connection take to be made, if that is less than the whole request may take. */
const connectTimeout = Duration.seconds(5)

/** No receiver is left alone for longer than this, whatever it asks for. */
const longestRetryAfter = 24 * 3600

/** With `isStale`, the receiver had closed a connection that was to be used again: another one is tried at once. */
class NoAnswer extends Schema.TaggedError<NoAnswer>()("NoAnswer", {
  problem: Schema.String,
  isStale: Schema.Boolean
}) {}

/** Reads `Retry-After`: seconds, or a date. */
export const retryAfter = (header: string | undefined, now: number): number | undefined => {
  if (header === undefined) return undefined
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - now) / 1000
  return Number.isNaN(seconds) ? undefined : Math.min(longestRetryAfter, Math.max(0, seconds))
}

const answerOf = (status: number, headers: http.IncomingHttpHeaders, now: number): Answer => {
  if (status >= 200 && status < 300) return { isDelivered: true, status }
  const after = status === 429 || status === 503 ? retryAfter(headers["retry-after"], now) : undefined
  const isRedirect = status >= 300 && status < 400
  return {
    isDelivered: false,
    status,
    problem: `The receiver answered ${status}${isRedirect ? ", and redirects are not followed" : ""}.`,
    ...(after === undefined ? {} : { retryAfter: after }),
    ...(status === 410 ? { isGone: true } : {})
  }
}

/** Closed by the other side. */
const closed = new Set(["ECONNRESET", "EPIPE"])

/** Makes what sends requests to one endpoint; its connections are closed with the scope. */
export const make = Effect.gen(function* () {
  const { allowedNetworks, allowHttp, inFlight, timeout } = yield* WebhookOptions
  const resolver = yield* Resolver
  const addresses = makeAddresses(allowedNetworks, { allowHttp, resolver })
  const connectMillis = Duration.toMillis(Duration.min(connectTimeout, timeout))
  const options = { keepAlive: true, maxSockets: inFlight, maxFreeSockets: inFlight, timeout: 30_000 }
  const agents = yield* Effect.acquireRelease(
    Effect.sync(() => ({ "http:": new http.Agent(options), "https:": new https.Agent(options) })),
    (agents) => Effect.sync(() => Object.values(agents).forEach((agent) => agent.destroy()))
  )

  /** Sends it once, and gives the answer as soon as its end, or enough of it, is there. */
  const exchange = (
    url: URL,
    headers: http.OutgoingHttpHeaders,
    body: Uint8Array,
    now: number,
    answered: (answer: Answer) => void
  ) =>
    Effect.callback<Answer, NoAnswer>((resume) => {
      const isSecure = url.protocol === "https:"
      const request = (isSecure ? https : http).request(url, {
        method: "POST",
        headers,
        agent: agents[isSecure ? "https:" : "http:"],
        lookup: addresses.lookup
      })
      const fail = (problem: string, isStale = false) => {
        resume(new NoAnswer({ problem, isStale }))
        request.destroy()
      }
      request.on("socket", (socket) => {
        if (!socket.connecting) return
        const timer = setTimeout(() => fail(`There was no connection after ${connectMillis} ms.`), connectMillis)
        socket.once(isSecure ? "secureConnect" : "connect", () => clearTimeout(timer))
        socket.once("close", () => clearTimeout(timer))
        // The resolver has judged the address already; this holds whatever way it was found.
        socket.once("connect", () => {
          const problem = addresses.problemOf(socket.remoteAddress ?? "")
          if (problem !== undefined) fail(problem)
        })
      })
      request.on("error", (error: NodeJS.ErrnoException) =>
        fail(error.message || (error.code ?? error.name), request.reusedSocket && closed.has(error.code ?? ""))
      )
      request.on("response", (response) => {
        const answer = answerOf(response.statusCode ?? 0, response.headers, now)
        answered(answer)
        let bytes = 0
        response.on("data", (chunk: Uint8Array) => {
          bytes += chunk.length
          if (bytes > maxAnswerBytes) request.destroy()
        })
        response.on("error", () => {})
        response.on("close", () => resume(Effect.succeed(answer)))
      })
      request.end(body)
      return Effect.sync(() => request.destroy())
    })

  return Effect.fnUntraced(function* ({ body, id, secrets, url: text }: Message): Effect.fn.Return<Answer> {
    const refused = addresses.problemOfUrl(text)
    if (refused !== undefined) return { isDelivered: false, problem: `The URL may not be called: ${refused}.` }
    const now = yield* Clock.currentTimeMillis
    const [url, bytes] = [new URL(text), Buffer.from(body)]
    const headers = {
      "content-type": "application/cloudevents+json",
      "content-length": bytes.length,
      "user-agent": "Ordinal-Webhooks/1",
      ...Signatures.headers(secrets, { id, body, timestamp: Math.floor(now / 1000) })
    }
    // The body of an answer may never end; what the answer says is known before.
    let known: Answer | undefined
    const overdue: Answer = {
      isDelivered: false,
      problem: `There was no answer after ${Duration.toSeconds(timeout)} s.`
    }
    return yield* exchange(url, headers, bytes, now, (answer) => {
      known = answer
    }).pipe(
      Effect.retry({ while: ({ isStale }) => isStale && known === undefined, times: inFlight }),
      Effect.catch(({ problem }) => Effect.succeed<Answer>(known ?? { isDelivered: false, problem })),
      Effect.timeoutOrElse({ duration: timeout, orElse: () => Effect.succeed(known ?? overdue) })
    )
  })
})
